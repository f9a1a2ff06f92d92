import { Module } from '@nestjs/common';
import { QuotasController } from './quotas.controller.js';

@Module({ controllers: [QuotasController] })
export class QuotasModule {}
