import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { inNameOf } from '@berth/actions';
import { ANONYMOUS, BerthError, policyRpc, type Principal } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { OneAsks } from '../leave/one-asks.js';
import { PolicyStanding } from '../leave/policy-standing.js';
import type { Access } from '../login/access.js';
import { ClientTokens, type Pusher } from '../login/client-tokens.js';
import { ShortMemory } from '../leave/short-memory.js';

const LONGEST_TOKEN = 512;
/** Those of the token flow hold one, and name repositories. */
const LONGEST_CLIENT_TOKEN = 8_000;

/** Who asks, and for what its token is; null: for all that policy allows. */
export interface Client {
  principal: Principal;
  access: Access | null;
}

/** Who shows no Berth token. What it may, the policies say that name it. */
const NOBODY: Principal = {
  ...{ user: ANONYMOUS, kind: 'user', admin: false, teams: [] },
  ...{ tokenId: null, scopes: [], expiresAt: null },
};

/** Who a registry client is: a Berth token as Bearer, or as the password of Basic with any user name (RFC 7617), or a token of the token flow. */
@Injectable()
export class Authenticator {
  private readonly known: ShortMemory<Principal>;
  private readonly asking = new OneAsks();

  constructor(
    private readonly rpc: RpcClient,
    private readonly standing: PolicyStanding,
    private readonly tokens: ClientTokens,
  ) {
    this.known = new ShortMemory(standing);
  }

  /** `open`: without credentials it is nobody who asks, where a policy permits nobody anything. */
  async authenticate(header: string | undefined, open = false): Promise<Client> {
    if (open && header === undefined && this.standing.now?.open) return { principal: NOBODY, access: null };
    const text = readToken(header);
    const given = text === null || text.length > LONGEST_CLIENT_TOKEN ? undefined : this.tokens.read(text);
    if (given === null) throw new BerthError('TOKEN_EXPIRED', 'the token is over; ask for another one');
    if (given?.pusher) return { principal: inNameOfPusher(given.pusher), access: given.access };
    if (given?.token === null) return { principal: NOBODY, access: given.access };
    return { principal: await this.principal(given?.token ?? text), access: given?.access ?? null };
  }

  private async principal(token: string | null): Promise<Principal> {
    if (token === null || token.length > LONGEST_TOKEN) {
      throw loginRequired();
    }
    const key = createHash('sha256').update(token).digest('base64');
    const known = (): Principal | undefined => this.known.get(key);
    return known() ?? this.asking.run(key, known, () => this.ask(token, key));
  }

  private async ask(token: string, key: string): Promise<Principal> {
    const asked = this.known.asking();
    try {
      const principal = await this.rpc.call(policyRpc.authenticate, { token }, { actor: null });
      this.known.set(key, principal, asked);
      return principal;
    } catch (error) {
      if (error instanceof BerthError && error.status === 401) throw error;
      // Anything else is no answer, and no answer is a no.
      throw new BerthError(
        'POLICY_UNAVAILABLE',
        'Policy gave no answer, so nothing was done. Try again.',
        {},
        { cause: error },
      );
    }
  }
}

/** Policy reads afresh what they may, and what the token may that they built with. */
function inNameOfPusher({ user, tokenId, team }: Pusher): Principal {
  return { ...inNameOf(user, team, 'developer'), tokenId };
}

export function loginRequired(): BerthError {
  return new BerthError(
    'UNAUTHENTICATED',
    'authentication required: docker login with a Berth token as the password',
  );
}

/** The token of an `Authorization` header; null when it holds none. */
export function readToken(header: string | undefined): string | null {
  const match = /^(basic|bearer) +(\S+)$/i.exec(header?.trim() ?? '');
  if (match === null) return null;
  const [, scheme = '', value = ''] = match;
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 || colon === pair.length - 1 ? null : pair.slice(colon + 1);
}
