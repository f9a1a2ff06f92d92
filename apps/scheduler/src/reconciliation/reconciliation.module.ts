import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { DriftDetector } from './drift-detector.js';
import { DriftLedger } from './drift-ledger.js';
import { Mending } from './mending.js';
import { Reconciler } from './reconciler.js';

@Module({
  imports: [DeploymentsModule, EnvironmentsModule],
  providers: [DriftDetector, DriftLedger, Mending, Reconciler],
  exports: [DriftDetector],
})
export class ReconciliationModule {}
