import { Inject, Injectable } from '@nestjs/common';
import { BerthError, policyRpc, type Principal } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';

// RFC 6750, section 2.1: the scheme is case-insensitive (RFC 9110, section 11.1), the token is b64token.
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]{1,512}=*) *$/i;

/** Asks policy who a token stands for; on each request, so that a revoked one is refused from its revocation on. */
@Injectable()
export class Authenticator {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  /** Throws `UNAUTHENTICATED`, `TOKEN_EXPIRED`, `TOKEN_REVOKED`, or `POLICY_UNAVAILABLE` when nobody can tell. */
  async authenticate(authorization: string | undefined): Promise<Principal> {
    if (!authorization) {
      throw new BerthError(
        'UNAUTHENTICATED',
        'This needs a token, as "Authorization: Bearer <token>". Log in with "berth login".',
      );
    }
    const token = BEARER.exec(authorization)?.[1];
    if (!token) {
      throw new BerthError(
        'UNAUTHENTICATED',
        'The Authorization header is not of the form "Bearer <token>".',
      );
    }
    try {
      return await this.rpc.call(policyRpc.authenticate, { token }, { actor: null });
    } catch (error) {
      if (!(error instanceof BerthError) || error.status < 500) throw error;
      throw new BerthError(
        'POLICY_UNAVAILABLE',
        'Policy does not answer, so nobody can tell whose token this is, and nothing was done. Try again.',
        {},
        { cause: error },
      );
    }
  }
}
