import { Module } from '@nestjs/common';
import { PricesController } from './prices.controller.js';
import { QuotasController } from './quotas.controller.js';

@Module({ controllers: [QuotasController, PricesController] })
export class QuotasModule {}
