import { Injectable } from '@nestjs/common';
import type { VisibleTeams } from '@berth/actions';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import {
  decodeCursor,
  invalidCursor,
  toPage,
  Id,
  type AuditQuery,
  type AuditRecord,
  type Page,
} from '@berth/contracts';
import { RecordEntity } from '../records/record.entity.js';
import { toRecord } from '../records/record-row.js';

interface Position {
  time: Date;
  id: string;
}

/** Finds records, newest first. A page begins after the last record of the one before: what comes in meanwhile shifts nothing. */
@Injectable()
export class RecordList {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async page(query: AuditQuery, teams: VisibleTeams): Promise<Page<AuditRecord>> {
    const select = this.dataSource
      .createQueryBuilder(RecordEntity, 'r')
      .orderBy('r.time', 'DESC')
      .addOrderBy('r.id', 'DESC')
      .limit(query.limit + 1);
    narrow(select, query);
    if (teams !== null) select.andWhere('r.team = ANY(:teams)', { teams });
    const found = await select.getMany();
    return toPage(found, query.limit, toRecord, ({ time, id }) => ({ time: time.getTime(), id }));
  }
}

function narrow(select: SelectQueryBuilder<RecordEntity>, query: AuditQuery): void {
  for (const field of ['project', 'environment', 'actor', 'outcome', 'correlationId'] as const) {
    if (query[field] !== undefined) select.andWhere(`r.${field} = :${field}`, { [field]: query[field] });
  }
  if (query.action?.endsWith('.*')) {
    select.andWhere('r.action LIKE :family', { family: likePrefix(query.action.slice(0, -1)) });
  } else if (query.action !== undefined) {
    select.andWhere('r.action = :action', { action: query.action });
  }
  if (query.resource !== undefined) {
    const colon = query.resource.indexOf(':');
    const type = colon < 0 ? query.resource : query.resource.slice(0, colon);
    select.andWhere('r.resourceType = :type', { type });
    if (colon >= 0) select.andWhere('r.resourceId = :id', { id: query.resource.slice(colon + 1) });
  }
  if (query.since !== undefined) select.andWhere('r.time >= :since', { since: query.since });
  if (query.until !== undefined) select.andWhere('r.time <= :until', { until: query.until });
  // Word for word the condition of the partial indexes.
  if (!query.reads) select.andWhere(`NOT (r.kind = 'read' AND r.outcome = 'succeeded')`);
  if (query.cursor !== undefined) {
    const after = positionOf(query.cursor);
    select.andWhere('(r.time, r.id) < (:afterTime, :afterId)', { afterTime: after.time, afterId: after.id });
  }
}

function positionOf(cursor: string): Position {
  const { time, id } = decodeCursor(cursor) ?? {};
  if (typeof time === 'number' && Math.abs(time) <= 8.64e15 && Id.safeParse(id).success) {
    return { time: new Date(time), id: String(id) };
  }
  throw invalidCursor();
}

function likePrefix(prefix: string): string {
  return `${prefix.replace(/[\\%_]/g, '\\$&')}%`;
}
