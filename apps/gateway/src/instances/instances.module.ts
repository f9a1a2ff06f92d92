import { Module } from '@nestjs/common';
import { StreamsModule } from '../streams/streams.module.js';
import { ExecController } from './exec.controller.js';
import { Exec } from './exec.js';
import { LogStreams } from './log-streams.js';
import { LogsController } from './logs.controller.js';

/** What is at hand while instances run. */
@Module({
  imports: [StreamsModule],
  controllers: [LogsController, ExecController],
  providers: [LogStreams, Exec],
})
export class InstancesModule {}
