import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ReconciliationModule } from '../reconciliation/reconciliation.module.js';
import { ReleasesModule } from '../releases/releases.module.js';
import { Comparisons } from './comparisons.js';
import { Parities } from './parities.js';
import { ComparisonsController } from './comparisons.controller.js';

@Module({
  imports: [DeploymentsModule, EnvironmentsModule, ReconciliationModule, ReleasesModule],
  controllers: [ComparisonsController],
  providers: [Comparisons, Parities],
})
export class ComparisonsModule {}
