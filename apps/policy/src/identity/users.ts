import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  userCreated,
  type Page,
  type policyRpc,
  type Principal,
  type User,
  positionOf,
  toPage,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { PLATFORM } from '../platform.js';
import { toUser, UserEntity } from './user.entity.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** Who acts in records when it is no user. */
const RESERVED = ['anonymous', 'berth'];

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
      resource: { type: 'User', id: actor.user } as const,
      context: {},
    };
    return this.pipeline.read(intent, () => Promise.resolve(actor));
  }

  create(input: Input<'createUser'>): Promise<User> {
    const intent = { action: actions.userCreate, resource: PLATFORM, context: input };
    return this.pipeline.change(intent, async (transaction) => {
      if (RESERVED.includes(input.name)) {
        throw new BerthError('ALREADY_EXISTS', `The name "${input.name}" is Berth's own; take another one.`);
      }
      const inserted: { created_at: Date }[] = await transaction.query(
        `INSERT INTO users (name, kind, admin) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING created_at`,
        [input.name, input.kind, input.admin],
      );
      if (inserted.length === 0) {
        throw new BerthError('ALREADY_EXISTS', `There is a user "${input.name}" already.`);
      }
      const user = toUser({ ...input, createdAt: inserted[0].created_at });
      return { result: user, outcome: {}, events: [draftEvent(userCreated, {}, user)] };
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
