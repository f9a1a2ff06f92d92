import { Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';
import { AuditController } from './audit.controller.js';
import { RecordList } from './record-list.js';

@Module({ controllers: [AuditController], providers: [RecordList, AuditLog] })
export class ReadingModule {}
