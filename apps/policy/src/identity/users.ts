import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  userCreated,
  userRemoved,
  type Page,
  type policyRpc,
  type Principal,
  type User,
  positionOf,
  toPage,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { FIRST_ACCOUNTS } from './first-accounts.js';
import { toUser, UserEntity } from './user.entity.js';
import { userRef } from './user-ref.js';
import { deleteUser, insertUser } from './user-rows.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

@Injectable()
export class UsersService {
  constructor(
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  whoami(): Promise<Principal> {
    const actor = requireActor();
    const intent = {
      action: actions.whoami,
      resource: userRef(actor.user),
      context: {},
    };
    return this.pipeline.read(intent, () => Promise.resolve(actor));
  }

  create(input: Input<'createUser'>): Promise<User> {
    const intent = { action: actions.userCreate, resource: PLATFORM, context: input };
    return this.pipeline.change(intent, async (transaction) => {
      const user = await insertUser(transaction, { ...input, team: null });
      return { result: user, outcome: {}, events: [draftEvent(userCreated, {}, user)] };
    });
  }

  /** Whose tokens are unknown from then on. */
  remove({ user }: Input<'removeUser'>): Promise<Record<string, never>> {
    const intent = { action: actions.userRemove, resource: userRef(user), context: {} };
    return this.pipeline.change(intent, async (transaction) => {
      refuseRemoval(user, requireActor().user);
      if (!(await deleteUser(transaction, user))) throw notFound(userRef(user));
      return { result: {}, outcome: {}, events: [draftEvent(userRemoved, {}, { name: user })] };
    });
  }

  list({ limit, cursor }: Input<'listUsers'>): Promise<Page<User>> {
    return this.pipeline.read({ action: actions.userList, resource: PLATFORM, context: {} }, async () => {
      const rows = await this.dataSource.getRepository(UserEntity).find({
        where: { name: MoreThan(positionOf(cursor, 'name')) },
        order: { name: 'ASC' },
        take: limit + 1,
      });
      return toPage(rows, limit, toUser, ({ name }) => ({ name }));
    });
  }
}

function refuseRemoval(user: string, actor: string): void {
  if (user === actor) {
    throw new BerthError('CONFLICT', 'Nobody can remove themselves: another admin has to.');
  }
  if (FIRST_ACCOUNTS.includes(user)) {
    const message = `"${user}" is there from the start and would be again. Revoke its tokens instead: berth token ls --user ${user}`;
    throw new BerthError('CONFLICT', message);
  }
}
