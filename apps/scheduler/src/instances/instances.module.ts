import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ServicesModule } from '../services/services.module.js';
import { ExecController } from './exec.controller.js';
import { ExecService } from './exec.js';
import { ExecSessions } from './exec-sessions.js';
import { LogStreams } from './log-streams.js';
import { LogsController } from './logs.controller.js';
import { LogsService } from './logs.js';

/** What is at hand while instances run. */
@Module({
  imports: [EnvironmentsModule, ServicesModule],
  controllers: [LogsController, ExecController],
  providers: [LogsService, LogStreams, ExecService, ExecSessions],
})
export class InstancesModule {}
