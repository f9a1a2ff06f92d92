import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ReleasesModule } from '../releases/releases.module.js';
import { Comparisons } from './comparisons.js';
import { ComparisonsController } from './comparisons.controller.js';

@Module({
  imports: [DeploymentsModule, EnvironmentsModule, ReleasesModule],
  controllers: [ComparisonsController],
  providers: [Comparisons],
})
export class ComparisonsModule {}
