import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  memberSetEvent,
  teamResource,
  type Member,
  type Page,
  type policyRpc,
  positionOf,
  type Role,
  type ServiceAccount,
  toPage,
  userCreated,
  userRemoved,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { MemberEntity } from './team.entity.js';
import { findTeam } from './team-ref.js';
import { deleteUser, insertUser } from './user-rows.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

interface Row {
  name: string;
  team: string;
  role: Role | null;
  created_at: Date;
}

/** Accounts for scripts that a team has to itself: its maintainers make them, and their tokens. */
@Injectable()
export class ServiceAccountsService {
  constructor(
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  create({ team, name, role }: Input<'createServiceAccount'>): Promise<ServiceAccount> {
    const intent = { action: actions.accountCreate, resource: teamResource(team), context: { name, role } };
    return this.pipeline.change(intent, async (transaction) => {
      await findTeam(transaction, team);
      const user = await insertUser(transaction, { name, kind: 'service', admin: false, team });
      const member: Member = { team, user: name, role, source: 'manual' };
      await transaction.getRepository(MemberEntity).insert(member);
      const events = [draftEvent(userCreated, { team }, user), draftEvent(memberSetEvent, { team }, member)];
      return { result: { name, team, role, createdAt: user.createdAt }, outcome: {}, events };
    });
  }

  list({ team, limit, cursor }: Input<'listServiceAccounts'>): Promise<Page<ServiceAccount>> {
    const intent = { action: actions.accountList, resource: teamResource(team), context: {} };
    return this.pipeline.read(intent, async () => {
      const rows: Row[] = await this.dataSource.query(
        `SELECT u.name, u.team, m.role, u.created_at
         FROM users u LEFT JOIN members m ON m.user_name = u.name AND m.team = u.team
         WHERE u.team = $1 AND u.name > $2 ORDER BY u.name LIMIT $3`,
        [team, positionOf(cursor, 'name'), limit + 1],
      );
      const toAccount = ({ created_at: createdAt, ...row }: Row): ServiceAccount => ({
        ...row,
        createdAt: createdAt.toISOString(),
      });
      return toPage(rows, limit, toAccount, ({ name }) => ({ name }));
    });
  }

  /** Its tokens are unknown from then on. */
  remove({ team, name }: Input<'removeServiceAccount'>): Promise<Record<string, never>> {
    const intent = { action: actions.accountRemove, resource: teamResource(team), context: { name } };
    return this.pipeline.change(intent, async (transaction) => {
      const [owned]: unknown[] = await transaction.query(
        'SELECT FROM users WHERE name = $1 AND team = $2 FOR UPDATE',
        [name, team],
      );
      if (!owned) throw new BerthError('NOT_FOUND', `"${name}" is no service account of the team "${team}".`);
      await deleteUser(transaction, name);
      return { result: {}, outcome: {}, events: [draftEvent(userRemoved, { team }, { name })] };
    });
  }
}
