import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, AuditQuery, AuditRecord, auditRpc, page } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

@ApiTags('Audit')
@Controller('v1/audit/records')
export class RecordsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.auditRead, {
    answer: page(AuditRecord),
    errors: ['CURSOR_INVALID'],
    description: 'Newest first. Members see the records of their teams, admins see all.',
  })
  list(@Query({ schema: AuditQuery }) query: AuditQuery): Promise<Page<AuditRecord>> {
    return this.rpc.call(auditRpc.list, query);
  }
}
