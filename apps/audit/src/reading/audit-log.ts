import { Injectable } from '@nestjs/common';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  type actions,
  BerthError,
  type AuditQuery,
  type AuditRecord,
  type Page,
  type Principal,
  type ResourceRef,
} from '@berth/contracts';
import { RecordList } from './record-list.js';

const PLATFORM: ResourceRef = { type: 'Platform', id: 'berth' };

/** The two ways of looking into the log. */
export type LogAction = typeof actions.auditRead | typeof actions.auditExport;

/** Shows the log to whoever may see it, and leaves a record of that in it. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly records: RecordList,
  ) {}

  /**
   * With a team: that team's records. Without: all for an admin, and for everyone else those of the teams whose log policy
   * lets them read.
   */
  async page(action: LogAction, query: AuditQuery): Promise<Page<AuditRecord>> {
    const actor = requireActor();
    if (query.team !== undefined) {
      const { team } = query;
      return this.read(action, teamResource(team), () => this.records.page(query, [team]));
    }
    if (actor.admin || actor.teams.length === 0) {
      return this.read(action, PLATFORM, () => this.records.page(query, null));
    }
    return this.records.page(query, await this.readableTeams(action, actor));
  }

  /** Of the actor's teams, those whose log policy lets them read; throws the last denial when there is none. */
  private async readableTeams(action: LogAction, { teams }: Principal): Promise<string[]> {
    const asked = await Promise.allSettled(
      teams.map(({ team }) => this.read(action, teamResource(team), () => Promise.resolve(team))),
    );
    const denials = asked.filter((answer) => answer.status === 'rejected');
    for (const { reason } of denials) if (!isDenial(reason)) throw reason;
    const readable = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (readable.length === 0) throw denials[denials.length - 1].reason;
    return readable;
  }

  private read<T>(action: LogAction, resource: ResourceRef, perform: () => Promise<T>): Promise<T> {
    return this.pipeline.read({ action, resource, context: {} }, perform);
  }
}

function teamResource(team: string): ResourceRef {
  return { type: 'Team', id: team, team };
}

function isDenial(error: unknown): boolean {
  return error instanceof BerthError && (error.code === 'POLICY_DENIED' || error.code === 'NOT_FOUND');
}
