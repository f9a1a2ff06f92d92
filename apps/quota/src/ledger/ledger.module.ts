import { type DynamicModule, Module } from '@nestjs/common';
import { LedgerCalls } from './ledger-calls.js';
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
      providers: [Ledger, LedgerCalls, LedgerMetrics, Sweeper, { provide: SWEEP_SECONDS, useValue: seconds }],
      exports: [Ledger],
    };
  }
}
