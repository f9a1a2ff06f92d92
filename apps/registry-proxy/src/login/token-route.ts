import { Injectable } from '@nestjs/common';
import { readToken } from '../http/authenticator.js';
import type { Exchange } from '../http/exchange.js';
import { NameReader } from '../http/name-reader.js';
import { OciError } from '../http/oci-error.js';
import type { Route } from '../http/route.js';
import { isNameProblem } from '../names/repository-name.js';
import { Access } from './access.js';
import { ClientTokens, LIFETIME_S } from './client-tokens.js';

/** Where clients get tokens from: `docker login`, and every pull and push after it. */
@Injectable()
export class TokenRoute {
  readonly routes: readonly Route[] = [
    {
      id: '/token',
      methods: ['GET'],
      pattern: /^\/token$/,
      publicReason:
        'turns a valid Berth token into one for some repositories and minutes, which gives no more than it has; no token into one that only reads what policy opens by name',
      open: true,
      answer: (exchange) => this.issue(exchange),
    },
  ];

  constructor(
    private readonly tokens: ClientTokens,
    private readonly names: NameReader,
  ) {}

  /** Whose the Berth token is was asked before this. */
  private issue(exchange: Exchange): Promise<void> {
    if (!this.tokens.available)
      throw new OciError('UNSUPPORTED', 'there is no token flow here: log in by Basic');
    const { mirrorOf } = exchange;
    const access = Access.ofScopes(exchange.queries('scope'), (called) => {
      const name = this.names.read(called, mirrorOf);
      return isNameProblem(name) ? called : name.name;
    });
    const issued = this.issueFor(readToken(exchange.header('authorization')), access);
    const body = {
      ...{ token: issued, access_token: issued, expires_in: LIFETIME_S },
      issued_at: new Date().toISOString(),
    };
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    exchange.answer(200, headers, JSON.stringify(body));
    return Promise.resolve();
  }

  private issueFor(token: string | null, access: Access): string {
    if (token === null) return this.tokens.issue({ token, access: access.reading() });
    // A token of ours buys no other: else it would never end.
    return this.tokens.read(token) === undefined ? this.tokens.issue({ token, access }) : token;
  }
}
