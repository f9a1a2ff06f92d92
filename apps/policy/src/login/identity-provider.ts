import { Inject, Injectable } from '@nestjs/common';
import * as oidc from 'openid-client';
import { BerthError } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import { POLICY_ENV, type PolicyEnv } from '../env.js';
import { readClaims, type Person } from './claims.js';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const TIMEOUT_SECONDS = 10;
/** RFC 8628, section 3.2: where the provider says nothing. */
const DEFAULT_INTERVAL_SECONDS = 5;

export interface DeviceAuthorization {
  deviceCode: string;
  userCode: string;
  verificationUri: string;
  verificationUriComplete: string | null;
  expiresInSeconds: number;
  intervalSeconds: number;
}

/** The provider of OpenID Connect that people log in by: found at its first use, so that its absence holds up nothing else. */
@Injectable()
export class IdentityProvider {
  private found: Promise<oidc.Configuration> | null = null;

  constructor(
    @Inject(POLICY_ENV) private readonly env: PolicyEnv,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  get issuer(): string | null {
    return this.env.BERTH_OIDC_ISSUER ?? null;
  }

  /** RFC 8628, section 3.1. Throws IDENTITY_PROVIDER_UNAVAILABLE. */
  async beginDeviceLogin(): Promise<DeviceAuthorization> {
    const answer = await this.asking((provider) =>
      oidc.initiateDeviceAuthorization(provider, { scope: this.env.BERTH_OIDC_SCOPES }),
    );
    return {
      deviceCode: answer.device_code,
      userCode: answer.user_code,
      verificationUri: answer.verification_uri,
      verificationUriComplete: answer.verification_uri_complete ?? null,
      expiresInSeconds: answer.expires_in,
      intervalSeconds: answer.interval ?? DEFAULT_INTERVAL_SECONDS,
    };
  }

  /**
   * RFC 8628, section 3.4: who confirmed the code, by an ID token whose signature, issuer, audience and time were checked.
   * Throws LOGIN_DENIED, LOGIN_EXPIRED or IDENTITY_PROVIDER_UNAVAILABLE.
   */
  redeem(deviceCode: string): Promise<Person | 'pending' | 'slow-down'> {
    return this.asking(async (provider) => {
      try {
        const tokens = await oidc.genericGrantRequest(provider, DEVICE_GRANT, { device_code: deviceCode });
        const claims = tokens.claims();
        if (!claims) throw new Error('it gave no ID token: is "openid" among BERTH_OIDC_SCOPES?');
        return readClaims(claims, this.env, () =>
          provider.serverMetadata().userinfo_endpoint
            ? oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)
            : Promise.resolve({}),
        );
      } catch (error) {
        const told = error instanceof oidc.ResponseBodyError ? error.error : null;
        if (told === 'authorization_pending') return 'pending';
        if (told === 'slow_down') return 'slow-down';
        if (told === 'access_denied') {
          throw new BerthError('LOGIN_DENIED', 'The login was refused at the identity provider.');
        }
        if (told === 'expired_token' || told === 'invalid_grant') throw loginExpired();
        throw error;
      }
    });
  }

  private async asking<T>(call: (provider: oidc.Configuration) => Promise<T>): Promise<T> {
    try {
      return await call(await this.provider());
    } catch (error) {
      if (error instanceof BerthError) throw error;
      this.logger.warn({ reason: reasonOf(error), issuer: this.issuer }, 'identity-provider.failed');
      throw new BerthError(
        'IDENTITY_PROVIDER_UNAVAILABLE',
        `Nobody can log in by ${this.issuer} at the moment: ${reasonOf(error)}. Tokens that there are hold as before.`,
      );
    }
  }

  private provider(): Promise<oidc.Configuration> {
    const {
      BERTH_OIDC_ISSUER: issuer,
      BERTH_OIDC_CLIENT_ID: id,
      BERTH_OIDC_CLIENT_SECRET: secret,
    } = this.env;
    if (!issuer) throw noProvider();
    const discover = (): Promise<oidc.Configuration> =>
      oidc.discovery(new URL(issuer), id, undefined, secret ? oidc.ClientSecretPost(secret) : oidc.None(), {
        timeout: TIMEOUT_SECONDS,
        // The signature too, though the token comes from the provider itself (OpenID Connect Core 1.0, section 3.1.3.7).
        execute: [
          oidc.enableNonRepudiationChecks,
          ...(issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []),
        ],
      });
    this.found ??= discover().catch((error: unknown) => {
      this.found = null;
      throw error;
    });
    return this.found;
  }
}

export function noProvider(): BerthError {
  return new BerthError(
    'NOT_FOUND',
    'This platform has no identity provider. Ask an admin for a token, and run "berth login".',
  );
}

export function loginExpired(): BerthError {
  return new BerthError(
    'LOGIN_EXPIRED',
    'This login is over: it took too long, or was used. Begin another one.',
  );
}

/** In words that hold no secret: an error of the provider by its code, any other by the innermost of what caused it. */
function reasonOf(error: unknown): string {
  if (error instanceof oidc.ResponseBodyError) return `it answers "${error.error}"`;
  let inner = error as NodeJS.ErrnoException;
  while (isError(inner.cause)) inner = inner.cause;
  return inner.message || (inner.code ?? inner.name);
}

function isError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return typeof (thrown as Error | undefined)?.message === 'string';
}
