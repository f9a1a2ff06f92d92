import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions, type IssuedToken, tokenCreated } from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { POLICY_ENV, type PolicyEnv } from '../env.js';
import { alignMemberships, holdMemberships } from '../identity/group-memberships.js';
import { issueToken } from '../identity/issue-token.js';
import { userRef } from '../identity/user-ref.js';
import type { Person } from './claims.js';
import { loginExpired } from './identity-provider.js';
import { PendingLogins, type Turn } from './pending-logins.js';
import { actingAs, People } from './people.js';

/** What a login ends in: memberships as the groups say, and a token. */
@Injectable()
export class LoginTokens {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly people: People,
    private readonly pending: PendingLogins,
    @Inject(POLICY_ENV) private readonly env: PolicyEnv,
  ) {}

  async issue(person: Person, handle: string, { client }: Turn): Promise<IssuedToken> {
    const { user, first } = await this.people.userOf(person);
    const { issuer, subject, groups } = person;
    const intent = {
      action: actions.userLogin,
      resource: userRef(user),
      context: { issuer, subject, groups, first },
      actor: actingAs(user),
    };
    return this.pipeline.change(intent, async (transaction) => {
      if (!(await this.pending.end(handle, transaction))) throw loginExpired();
      await holdMemberships(transaction);
      await transaction.query(
        'UPDATE identities SET groups = $3, last_login_at = now() WHERE issuer = $1 AND subject = $2',
        [issuer, subject, groups],
      );
      const { token, issued } = await issueToken(transaction, {
        ...{ user, name: `login: ${client}`, scopes: ['*'] },
        lifetimeSeconds: this.env.BERTH_LOGIN_HOURS * 3_600,
      });
      const events = [
        ...(await alignMemberships(transaction, { user })),
        draftEvent(tokenCreated, {}, token),
      ];
      return { result: issued, outcome: {}, events };
    });
  }
}
