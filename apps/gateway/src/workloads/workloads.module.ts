import { Module } from '@nestjs/common';
import { StreamsModule } from '../streams/streams.module.js';
import { ComparisonsController } from './comparisons.controller.js';
import { DeploymentFeed } from './deployment-feed.js';
import { DeploymentsController } from './deployments.controller.js';
import { EnvironmentsController } from './environments.controller.js';
import { LogStreams } from './log-streams.js';
import { LogsController } from './logs.controller.js';
import { ProjectsController } from './projects.controller.js';
import { RolloutsController } from './rollouts.controller.js';
import { ScalingController } from './scaling.controller.js';

/** What runs: projects, environments, deployments, services and what they write. */
@Module({
  imports: [StreamsModule],
  controllers: [
    ProjectsController,
    EnvironmentsController,
    RolloutsController,
    DeploymentsController,
    LogsController,
    ComparisonsController,
    ScalingController,
  ],
  providers: [DeploymentFeed, LogStreams],
})
export class WorkloadsModule {}
