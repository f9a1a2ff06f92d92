import { z } from 'zod';
import { Id, ServiceName, Timestamp } from './names.js';
import { PolicyAnswer, ResourceType } from './policies.js';

export const RecordOutcome = z.enum(['accepted', 'succeeded', 'failed', 'denied']);
export type RecordOutcome = z.infer<typeof RecordOutcome>;

/** One entry of the audit log: who did what to what, who allowed it, and how it ended. Holds no secret. */
export const AuditRecord = z
  .object({
    id: Id,
    time: Timestamp,
    source: ServiceName.describe('The service that ran the action'),
    action: z.string(),
    kind: z.enum(['change', 'read']),
    outcome: RecordOutcome,
    code: z.string().nullable().describe('The error code when it did not succeed'),
    reason: z.string().nullable(),
    actor: z.string().describe('The user, or `anonymous`'),
    tokenId: Id.nullable(),
    team: z.string().nullable(),
    project: z.string().nullable(),
    environment: z.string().nullable(),
    resource: z.object({ type: ResourceType, id: z.string() }),
    policies: z.array(PolicyAnswer),
    decisions: z.array(Id),
    correlationId: z.string(),
    request: z.record(z.string(), z.unknown()).describe('The facts that policy judged'),
    times: z.int().min(1).optional().describe('How often it was read within a moment, where more than once'),
  })
  .meta({ id: 'AuditRecord' });
export type AuditRecord = z.infer<typeof AuditRecord>;

export const AuditQuery = z.strictObject({
  team: z.string().optional(),
  project: z.string().optional(),
  environment: z.string().optional(),
  actor: z.string().optional(),
  action: z.string().optional().describe('A name, or a family such as `deployment.*`'),
  resource: z.string().optional().describe('`<Type>` or `<Type>:<id>`'),
  outcome: RecordOutcome.optional(),
  correlationId: z.string().optional(),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  reads: z.stringbool().or(z.boolean()).default(false).describe('Whether to list successful reads too'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(512).optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** What is taken out: all that a list would show, page after page. */
export const AuditExport = AuditQuery.omit({ limit: true, cursor: true });
export type AuditExport = z.infer<typeof AuditExport>;
