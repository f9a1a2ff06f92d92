import { Module } from '@nestjs/common';
import { StreamsModule } from '../streams/streams.module.js';
import { ComparisonsController } from './comparisons.controller.js';
import { DeploymentFeed } from './deployment-feed.js';
import { DeploymentsController } from './deployments.controller.js';
import { EnvironmentsController } from './environments.controller.js';
import { ProjectsController } from './projects.controller.js';
import { RolloutsController } from './rollouts.controller.js';
import { ScalingController } from './scaling.controller.js';

/** What runs: projects, environments, deployments and services. */
@Module({
  imports: [StreamsModule],
  controllers: [
    ProjectsController,
    EnvironmentsController,
    RolloutsController,
    DeploymentsController,
    ComparisonsController,
    ScalingController,
  ],
  providers: [DeploymentFeed],
})
export class WorkloadsModule {}
