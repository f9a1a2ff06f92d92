import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound } from '@berth/actions';
import {
  actions,
  BerthError,
  type policyRpc,
  type Principal,
  userCreated,
  type UserIdentity,
  userLinked,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { IDENTITY_PROVIDER_ACCOUNT } from '../identity/first-accounts.js';
import { userRef } from '../identity/user-ref.js';
import { insertUser } from '../identity/user-rows.js';
import type { Person } from './claims.js';
import { IdentityProvider, noProvider } from './identity-provider.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** Who acts without a token: what they may do is asked of policy by their name alone. */
export function actingAs(user: string, kind: Principal['kind'] = 'user'): Principal {
  return { user, kind, admin: false, teams: [], tokenId: null, scopes: [], expiresAt: null };
}

/** Which user somebody of the identity provider is. */
@Injectable()
export class People {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly provider: IdentityProvider,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /**
   * The user of somebody who proved who they are; made of their name where they are new. Never one that is there already
   * under that name: throws ALREADY_EXISTS, and LOGIN_DENIED where they have no name.
   */
  async userOf(person: Person): Promise<{ user: string; first: boolean }> {
    const known = await this.find(person);
    if (known) return known;
    const { name } = person;
    if (name === null) {
      const message =
        'The identity provider tells no name that a user could have here. An admin sees to that with BERTH_OIDC_NAME_CLAIM, ' +
        `or links you to a user: ${linkCommand('<user>', person)}`;
      throw new BerthError('LOGIN_DENIED', message);
    }
    const content = { name, kind: 'user', admin: false } as const;
    const intent = {
      action: actions.userCreate,
      resource: PLATFORM,
      context: content,
      actor: actingAs(IDENTITY_PROVIDER_ACCOUNT, 'service'),
    };
    try {
      await this.pipeline.change(intent, async (transaction) => {
        const user = await insertUser(transaction, { ...content, team: null });
        await transaction.query('INSERT INTO identities (issuer, subject, user_name) VALUES ($1, $2, $3)', [
          ...[person.issuer, person.subject, name],
        ]);
        return { result: user, outcome: {}, events: [draftEvent(userCreated, {}, user)] };
      });
      return { user: name, first: true };
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'ALREADY_EXISTS') throw error;
      // Two logins at once: the other one may have made it.
      const made = await this.find(person);
      if (made) return made;
      const message = `There is a user "${name}" already who is not known to be you. An admin links the two: ${linkCommand(name, person)}`;
      throw new BerthError('ALREADY_EXISTS', message);
    }
  }

  link({ user, subject, issuer }: Input<'linkIdentity'>): Promise<UserIdentity> {
    const by = issuer ?? this.provider.issuer;
    if (by === null) throw noProvider();
    const result: UserIdentity = { user, issuer: by, subject };
    const context = { issuer: by, subject };
    const intent = { action: actions.userLink, resource: userRef(user), context };
    return this.pipeline.change(intent, async (transaction) => {
      const [found]: { kind: string }[] = await transaction.query('SELECT kind FROM users WHERE name = $1', [
        user,
      ]);
      if (!found) throw notFound(userRef(user));
      if (found.kind !== 'user') {
        throw new BerthError('CONFLICT', `"${user}" is a service account; people log in as users.`);
      }
      const [linked]: { user_name: string }[] = await transaction.query(
        `INSERT INTO identities (issuer, subject, user_name) VALUES ($1, $2, $3)
         ON CONFLICT (issuer, subject) DO UPDATE SET user_name = identities.user_name RETURNING user_name`,
        [by, subject, user],
      );
      if (linked.user_name !== user) {
        throw new BerthError('ALREADY_EXISTS', `They are "${linked.user_name}" here already.`);
      }
      return { result, outcome: {}, events: [draftEvent(userLinked, {}, result)] };
    });
  }

  private async find({ issuer, subject }: Person): Promise<{ user: string; first: boolean } | null> {
    const [row]: { user_name: string; first: boolean }[] = await this.dataSource.query(
      `SELECT user_name, last_login_at IS NULL AS first FROM identities WHERE issuer = $1 AND subject = $2`,
      [issuer, subject],
    );
    return row ? { user: row.user_name, first: row.first } : null;
  }
}

function linkCommand(user: string, { issuer, subject }: Person): string {
  return `berth user link ${user} --subject ${JSON.stringify(subject)} --issuer ${issuer}`;
}
