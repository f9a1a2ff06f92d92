import { Controller } from '@nestjs/common';
import { Performs } from '@berth/actions';
import { actions, auditRpc, type AuditQuery, type AuditRecord, type Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { AuditLog } from './audit-log.js';

@Controller()
export class AuditController {
  constructor(private readonly log: AuditLog) {}

  @Handles(auditRpc.list)
  @Performs(actions.auditRead)
  list(query: AuditQuery): Promise<Page<AuditRecord>> {
    return this.log.page(actions.auditRead, query);
  }

  @Handles(auditRpc.export)
  @Performs(actions.auditExport)
  export(query: AuditQuery): Promise<Page<AuditRecord>> {
    return this.log.page(actions.auditExport, query);
  }
}
