import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { DriftDetector } from './drift-detector.js';
import { DriftLedger } from './drift-ledger.js';
import { Mending } from './mending.js';
import { ReconciliationController } from './reconciliation.controller.js';
import { Reconciler } from './reconciler.js';

@Module({
  imports: [DeploymentsModule, EnvironmentsModule, SecretsModule],
  controllers: [ReconciliationController],
  providers: [DriftDetector, DriftLedger, Mending, Reconciler],
  exports: [DriftDetector],
})
export class ReconciliationModule {}
