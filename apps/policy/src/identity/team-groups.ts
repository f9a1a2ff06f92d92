import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  groupRemoved,
  groupSetEvent,
  teamResource,
  type Page,
  type policyRpc,
  positionOf,
  type TeamGroup,
  toPage,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { alignMemberships, holdMemberships } from './group-memberships.js';
import { findTeam } from './team-ref.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** Which groups of the identity provider are in a team. A change holds at once for all who have logged in before. */
@Injectable()
export class TeamGroupsService {
  constructor(
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  list({ team, limit, cursor }: Input<'listGroups'>): Promise<Page<TeamGroup>> {
    const intent = { action: actions.groupList, resource: teamResource(team), context: {} };
    return this.pipeline.read(intent, async () => {
      await findTeam(this.dataSource.manager, team);
      const rows: TeamGroup[] = await this.dataSource.query(
        `SELECT team, group_name AS "group", role FROM team_groups
         WHERE team = $1 AND group_name > $2 ORDER BY group_name LIMIT $3`,
        [team, positionOf(cursor, 'group'), limit + 1],
      );
      return toPage(
        rows,
        limit,
        (row) => row,
        ({ group }) => ({ group }),
      );
    });
  }

  set({ team, group, role }: Input<'setGroup'>): Promise<TeamGroup> {
    const intent = { action: actions.groupSet, resource: teamResource(team), context: { group, role } };
    return this.pipeline.change(intent, async (transaction) => {
      await findTeam(transaction, team);
      await holdMemberships(transaction);
      await transaction.query(
        `INSERT INTO team_groups (team, group_name, role) VALUES ($1, $2, $3)
         ON CONFLICT (team, group_name) DO UPDATE SET role = excluded.role`,
        [team, group, role],
      );
      const result: TeamGroup = { team, group, role };
      const events = [
        draftEvent(groupSetEvent, { team }, result),
        ...(await alignMemberships(transaction, { team })),
      ];
      return { result, outcome: {}, events };
    });
  }

  remove({ team, group }: Input<'removeGroup'>): Promise<Record<string, never>> {
    const intent = { action: actions.groupRemove, resource: teamResource(team), context: { group } };
    return this.pipeline.change(intent, async (transaction) => {
      await holdMemberships(transaction);
      const [, affected]: [unknown[], number] = await transaction.query(
        'DELETE FROM team_groups WHERE team = $1 AND group_name = $2',
        [team, group],
      );
      if (affected === 0) {
        throw new BerthError('NOT_FOUND', `The group "${group}" is not mapped to the team "${team}".`);
      }
      const events = [
        draftEvent(groupRemoved, { team }, { team, group }),
        ...(await alignMemberships(transaction, { team })),
      ];
      return { result: {}, outcome: {}, events };
    });
  }
}
