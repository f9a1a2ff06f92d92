import { Readable } from 'node:stream';
import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, AuditExport, AuditRecord, auditRpc, type Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { currentContext, newRequestContext, runInContext } from '@berth/runtime';
import type { FastifyReply } from 'fastify';
import { Operation } from '../http/operation.js';

const BATCH = 200;
const NDJSON = 'application/x-ndjson';

type Batch = (cursor?: string) => Promise<Page<AuditRecord>>;

@ApiTags('Audit')
@Controller('v1/audit/export')
export class ExportController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.auditExport, {
    answer: AuditRecord,
    produces: NDJSON,
    description:
      `All records that fit, newest first, each as a line of JSON (\`${NDJSON}\`), and as many as there are. Policy is asked ` +
      `again for every ${BATCH}; where it says no on the way, or something fails, the connection breaks off, so that what ` +
      'ends well is whole. Maintainers of a team may do this for the team, admins for all.',
  })
  async export(
    @Query({ schema: AuditExport }) query: AuditExport,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // What the answer's stream asks for later is asked in the name of this request.
    const context = currentContext() ?? newRequestContext();
    const batch: Batch = (cursor) =>
      runInContext(context, () => this.rpc.call(auditRpc.export, { ...query, limit: BATCH, cursor }));
    // Before the answer begins: a refusal is to be a problem, as everywhere.
    const first = await batch();
    await reply.type(NDJSON).send(Readable.from(lines(first, batch)));
  }
}

async function* lines(first: Page<AuditRecord>, batch: Batch): AsyncGenerator<string> {
  for (let part = first; ;) {
    if (part.items.length > 0) yield part.items.map((record) => `${JSON.stringify(record)}\n`).join('');
    if (part.nextCursor === null) return;
    part = await batch(part.nextCursor);
  }
}
