import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, LessThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  tokenCreated,
  tokenRevoked,
  type IssuedToken,
  type Page,
  type policyRpc,
  type ResourceRef,
  type Token,
  positionOf,
  toPage,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { issueToken } from './issue-token.js';
import { unknownScopes, widerThan } from './scopes.js';
import { TokenEntity, toToken } from './token.entity.js';
import { UserEntity } from './user.entity.js';
import { ownedUserRef, userRef } from './user-ref.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** Sorts after every id that there is: the first page begins with the newest. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

@Injectable()
export class TokensService {
  constructor(
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** Issues a token that reaches no further than the one it is asked for with. Its text is in the answer, and nowhere else. */
  async create(input: Input<'createToken'>): Promise<IssuedToken> {
    const actor = requireActor();
    const { user = actor.user, name, scopes, expiresInSeconds } = input;
    refuseUnknown(scopes);
    const intent = {
      action: actions.tokenCreate,
      resource: await this.owner(user),
      context: { scopes, expiresInSeconds },
    };
    return this.pipeline.change(intent, async (transaction) => {
      refuseWider(scopes, actor.scopes);
      if (!(await transaction.getRepository(UserEntity).existsBy({ name: user })))
        throw notFound(userRef(user));
      const { token, issued } = await issueToken(transaction, {
        ...{ user, name, scopes },
        lifetimeSeconds: expiresInSeconds,
      });
      return { result: issued, outcome: {}, events: [draftEvent(tokenCreated, {}, token)] };
    });
  }

  /** The newest first. */
  async list({ user = requireActor().user, limit, cursor }: Input<'listTokens'>): Promise<Page<Token>> {
    const intent = { action: actions.tokenList, resource: await this.owner(user), context: {} };
    return this.pipeline.read(intent, async () => {
      const before = positionOf(cursor, 'id') || LAST_ID;
      if (!UUID.test(before)) {
        throw new BerthError(
          'CURSOR_INVALID',
          'The cursor is not one that this list gave out. Start without one.',
        );
      }
      const rows = await this.dataSource.getRepository(TokenEntity).find({
        where: { user, id: LessThan(before) },
        order: { id: 'DESC' },
        take: limit + 1,
      });
      return toPage(rows, limit, toToken, ({ id }) => ({ id }));
    });
  }

  /** Revoking it twice is revoking it once. */
  async revoke({ id }: Input<'revokeToken'>): Promise<Token> {
    const found = await this.dataSource.getRepository(TokenEntity).findOneBy({ id });
    // What is not there is asked about as if it were one's own: the answer says nothing of whose others are.
    const owner = await this.owner(found?.user ?? requireActor().user);
    const intent = { action: actions.tokenRevoke, resource: owner, context: { tokenId: id } };
    return this.pipeline.change(intent, async (transaction) => {
      const tokens = transaction.getRepository(TokenEntity);
      await transaction.query('UPDATE tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL', [
        id,
      ]);
      const token = await tokens.findOneBy({ id });
      if (!token) throw new BerthError('NOT_FOUND', `There is no token "${id}", or you may not see it.`);
      const revoked = toToken(token);
      return { result: revoked, outcome: {}, events: [draftEvent(tokenRevoked, {}, revoked)] };
    });
  }

  private owner(user: string): Promise<ResourceRef> {
    return ownedUserRef(this.dataSource.manager, user);
  }
}

function refuseUnknown(scopes: readonly string[]): void {
  const unknown = unknownScopes(scopes);
  if (unknown.length === 0) return;
  const fields = unknown.map((scope) => ({
    path: 'scopes',
    message: `"${scope}" is no action or family of actions`,
  }));
  throw new BerthError('VALIDATION_FAILED', `${fields.map(({ message }) => message).join('; ')}.`, {
    fields,
  });
}

function refuseWider(asked: readonly string[], held: readonly string[]): void {
  const wider = widerThan(asked, held);
  if (wider.length === 0) return;
  const quoted = (scopes: readonly string[]): string => scopes.map((scope) => `"${scope}"`).join(', ');
  const message = `A token may reach no further than the one it is made with: ${quoted(wider)} is not within ${quoted(held)}.`;
  throw new BerthError('POLICY_DENIED', message, { policies: [{ id: 'token-scope', message }] });
}
