import type { AuditRecord } from '@berth/contracts';
import { RecordEntity } from './record.entity.js';
import { storable } from './storable.js';

/** The columns of `records` that a record fills, with their types, as `jsonb_to_recordset` takes them. */
export const ROW_COLUMNS = {
  id: 'uuid',
  time: 'timestamptz',
  source: 'text',
  action: 'text',
  kind: 'text',
  outcome: 'text',
  code: 'text',
  reason: 'text',
  actor: 'text',
  token_id: 'uuid',
  team: 'text',
  project: 'text',
  environment: 'text',
  resource_type: 'text',
  resource_id: 'text',
  policies: 'jsonb',
  decisions: 'uuid[]',
  correlation_id: 'text',
  request: 'jsonb',
  times: 'integer',
} as const;

export type RecordRow = Record<keyof typeof ROW_COLUMNS, unknown>;

export function toRow(record: AuditRecord): RecordRow {
  const { tokenId, resource, correlationId, ...same } = storable(record) as AuditRecord;
  return {
    times: null,
    ...same,
    token_id: tokenId,
    resource_type: resource.type,
    resource_id: resource.id,
    correlation_id: correlationId,
  };
}

export function toRecord({ time, resourceType, resourceId, times, ...same }: RecordEntity): AuditRecord {
  return {
    ...same,
    ...(times === null ? {} : { times }),
    ...{ time: time.toISOString(), resource: { type: resourceType, id: resourceId } },
  };
}
