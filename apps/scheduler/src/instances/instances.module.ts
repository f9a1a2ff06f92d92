import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ServicesModule } from '../services/services.module.js';
import { Admission } from './admission.js';
import { ExecController } from './exec.controller.js';
import { ExecService } from './exec.js';
import { ExecSessions } from './exec-sessions.js';
import { LogsController } from './logs.controller.js';
import { LogsService } from './logs.js';
import { OutStreams } from './out-streams.js';
import { StatsController } from './stats.controller.js';
import { StatsService } from './stats.js';

/** What is at hand while instances run. */
@Module({
  imports: [EnvironmentsModule, ServicesModule],
  controllers: [LogsController, ExecController, StatsController],
  providers: [Admission, LogsService, StatsService, OutStreams, ExecService, ExecSessions],
})
export class InstancesModule {}
