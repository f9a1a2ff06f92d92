import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import {
  BerthError,
  type DeviceLogin,
  type DeviceLoginState,
  type LoginMethods,
  type policyRpc,
} from '@berth/contracts';
import { FailedAuthentications } from '../identity/failed-authentications.js';
import type { Person } from './claims.js';
import { IdentityProvider, loginExpired, noProvider } from './identity-provider.js';
import { LoginTokens } from './login-tokens.js';
import { PendingLogins } from './pending-logins.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** The device flow (RFC 8628), with this service between the device and the identity provider. */
@Injectable()
export class DeviceLogins {
  constructor(
    private readonly provider: IdentityProvider,
    private readonly pending: PendingLogins,
    private readonly failures: FailedAuthentications,
    private readonly tokens: LoginTokens,
  ) {}

  methods(): LoginMethods {
    const { issuer } = this.provider;
    return { oidc: issuer === null ? null : { issuer } };
  }

  async begin({ client }: Input<'beginDeviceLogin'>): Promise<DeviceLogin> {
    if (this.provider.issuer === null) throw noProvider();
    const { deviceCode, expiresInSeconds, ...told } = await this.provider.beginDeviceLogin();
    const expiresAt = new Date(Date.now() + expiresInSeconds * 1_000);
    const { intervalSeconds } = told;
    const handle = await this.pending.add(client, deviceCode, { intervalSeconds, expiresAt });
    return { ...told, handle, expiresAt: expiresAt.toISOString() };
  }

  /** Throws LOGIN_DENIED, LOGIN_EXPIRED, ALREADY_EXISTS, POLICY_DENIED: it is over then. After another error it is not. */
  async poll({ handle }: Input<'pollDeviceLogin'>): Promise<DeviceLoginState> {
    let person: Person | null = null;
    try {
      const found = await this.pending.takeTurn(handle);
      if (!found) throw loginExpired();
      const { turn, intervalSeconds } = found;
      if (!turn) return { state: 'pending', intervalSeconds, token: null };
      const redeemed = await this.provider.redeem(turn.deviceCode);
      if (redeemed === 'pending') return { state: 'pending', intervalSeconds, token: null };
      if (redeemed === 'slow-down') {
        return { state: 'pending', intervalSeconds: await this.pending.slowDown(handle), token: null };
      }
      person = redeemed;
      return { state: 'done', intervalSeconds, token: await this.tokens.issue(person, handle, turn) };
    } catch (error) {
      if (error instanceof BerthError) await this.end(handle, person, error);
      throw error;
    }
  }

  /** Leaves nothing of a login that cannot come to a good end, and a record of it. */
  private async end(handle: string, person: Person | null, error: BerthError): Promise<void> {
    if (error.status < 500) await this.pending.end(handle);
    // What policy denied was recorded with the names of the policies.
    if (error.code === 'POLICY_DENIED') return;
    const { issuer, subject } = person ?? {};
    await this.failures.ofLogin({ issuer: issuer ?? this.provider.issuer ?? undefined, subject }, error);
  }
}
