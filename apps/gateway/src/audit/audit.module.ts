import { Module } from '@nestjs/common';
import { ExportController } from './export.controller.js';
import { RecordsController } from './records.controller.js';

@Module({ controllers: [RecordsController, ExportController] })
export class AuditModule {}
