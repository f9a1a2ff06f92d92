import { Module } from '@nestjs/common';
import { ProjectsModule } from '../projects/projects.module.js';
import { SettlementsModule } from '../upkeep/settlements.module.js';
import { Bases } from './bases.js';
import { BuildAccounts } from './build-accounts.js';
import { BuildRun } from './build-run.js';
import { BuildSessions } from './build-sessions.js';
import { BuildsController } from './builds.controller.js';
import { BuildsService } from './builds.js';

/** Images made from Dockerfiles. */
@Module({
  imports: [ProjectsModule, SettlementsModule],
  controllers: [BuildsController],
  providers: [Bases, BuildAccounts, BuildRun, BuildSessions, BuildsService],
})
export class BuildsModule {}
