import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  memberRemoved,
  memberSetEvent,
  teamCreated,
  teamResource,
  type Member,
  type Page,
  type policyRpc,
  type Team,
  positionOf,
  toPage,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { MemberEntity, TeamEntity, toMember, toTeam } from './team.entity.js';
import { findTeam } from './team-ref.js';
import { UserEntity } from './user.entity.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

@Injectable()
export class TeamsService {
  constructor(
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** Whoever creates a team is its first maintainer. */
  create({ name }: Input<'createTeam'>): Promise<Team> {
    const intent = { action: actions.teamCreate, resource: PLATFORM, context: { name } };
    return this.pipeline.change(intent, async (transaction) => {
      const inserted: { created_at: Date }[] = await transaction.query(
        'INSERT INTO teams (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING created_at',
        [name],
      );
      if (inserted.length === 0) throw new BerthError('ALREADY_EXISTS', `There is a team "${name}" already.`);
      const team = toTeam({ name, createdAt: inserted[0].created_at });
      const user = requireActor().user;
      const first: Member = { team: name, user, role: 'maintainer', source: 'manual' };
      await transaction.getRepository(MemberEntity).insert(first);
      const place = { team: name };
      const events = [draftEvent(teamCreated, place, team), draftEvent(memberSetEvent, place, first)];
      return { result: team, outcome: {}, events };
    });
  }

  /** An admin sees all, everyone else the teams that they are in. */
  list({ limit, cursor }: Input<'listTeams'>): Promise<Page<Team>> {
    return this.pipeline.read({ action: actions.teamList, resource: PLATFORM, context: {} }, async () => {
      const actor = requireActor();
      const query = this.dataSource
        .getRepository(TeamEntity)
        .createQueryBuilder('team')
        .where('team.name > :after', { after: positionOf(cursor, 'name') })
        .orderBy('team.name')
        .limit(limit + 1);
      if (!actor.admin) {
        query.andWhere('team.name IN (SELECT m.team FROM members m WHERE m.user_name = :user)', {
          user: actor.user,
        });
      }
      return toPage(await query.getMany(), limit, toTeam, ({ name }) => ({ name }));
    });
  }

  get({ team }: Input<'getTeam'>): Promise<Team> {
    const intent = { action: actions.teamRead, resource: teamResource(team), context: {} };
    return this.pipeline.read(intent, async () => toTeam(await findTeam(this.dataSource.manager, team)));
  }

  listMembers({ team, limit, cursor }: Input<'listMembers'>): Promise<Page<Member>> {
    const intent = { action: actions.memberList, resource: teamResource(team), context: {} };
    return this.pipeline.read(intent, async () => {
      await findTeam(this.dataSource.manager, team);
      const rows = await this.dataSource.getRepository(MemberEntity).find({
        where: { team, user: MoreThan(positionOf(cursor, 'user')) },
        order: { user: 'ASC' },
        take: limit + 1,
      });
      return toPage(rows, limit, toMember, ({ user }) => ({ user }));
    });
  }

  setMember({ team, user, role }: Input<'setMember'>): Promise<Member> {
    const member: Member = { team, user, role, source: 'manual' };
    const intent = { action: actions.memberSet, resource: teamResource(team), context: { user, role } };
    return this.pipeline.change(intent, async (transaction) => {
      await findTeam(transaction, team);
      if (!(await transaction.getRepository(UserEntity).existsBy({ name: user }))) {
        throw notFound({ type: 'User', id: user });
      }
      await transaction.getRepository(MemberEntity).upsert(member, ['team', 'user']);
      return { result: member, outcome: {}, events: [draftEvent(memberSetEvent, { team }, member)] };
    });
  }

  removeMember({ team, user }: Input<'removeMember'>): Promise<Record<string, never>> {
    const intent = { action: actions.memberRemove, resource: teamResource(team), context: { user } };
    return this.pipeline.change(intent, async (transaction) => {
      const { affected } = await transaction.getRepository(MemberEntity).delete({ team, user });
      if (!affected) throw new BerthError('NOT_FOUND', `"${user}" is no member of the team "${team}".`);
      return { result: {}, outcome: {}, events: [draftEvent(memberRemoved, { team }, { team, user })] };
    });
  }
}
