import { Injectable } from '@nestjs/common';
import { ActionPipeline, readOfTeams } from '@berth/actions';
import type { actions, AuditQuery, AuditRecord, Page } from '@berth/contracts';
import { RecordList } from './record-list.js';

/** The two ways of looking into the log. */
export type LogAction = typeof actions.auditRead | typeof actions.auditExport;

/** Shows the log to whoever may see it, and leaves a record of that in it. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly records: RecordList,
  ) {}

  /** A team's records, or of all whose log the actor may see: see `readOfTeams`. */
  page(action: LogAction, query: AuditQuery): Promise<Page<AuditRecord>> {
    return readOfTeams(this.pipeline, action, query.team, (teams) => this.records.page(query, teams));
  }
}
