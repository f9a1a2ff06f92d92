import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { DriftDetector } from './drift-detector.js';
import { DriftLedger } from './drift-ledger.js';
import { Halts } from './halts.js';
import { Mending } from './mending.js';
import { ReconciliationController } from './reconciliation.controller.js';
import { Reconciler } from './reconciler.js';
import { RestartJudge } from './restart-judge.js';
import { RestartWatch } from './restart-watch.js';
import { Restarts } from './restarts.js';

@Module({
  imports: [DeploymentsModule, EnvironmentsModule, SecretsModule],
  controllers: [ReconciliationController],
  providers: [DriftDetector, DriftLedger, Mending, Reconciler, RestartJudge, Halts, Restarts, RestartWatch],
  exports: [DriftDetector],
})
export class ReconciliationModule {}
