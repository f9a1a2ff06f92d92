import { type DynamicModule, Module } from '@nestjs/common';
import { LedgerMetrics } from './ledger-metrics.js';
import { LedgerController } from './ledger.controller.js';
import { Ledger } from './ledger.js';
import { SWEEP_SECONDS, Sweeper } from './sweeper.js';

@Module({})
export class LedgerModule {
  static sweepingEvery(seconds: number): DynamicModule {
    return {
      module: LedgerModule,
      controllers: [LedgerController],
      providers: [Ledger, LedgerMetrics, Sweeper, { provide: SWEEP_SECONDS, useValue: seconds }],
      exports: [Ledger],
    };
  }
}
