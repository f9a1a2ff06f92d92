import { Module } from '@nestjs/common';
import { StreamsModule } from '../streams/streams.module.js';
import { ExecController } from './exec.controller.js';
import { Exec } from './exec.js';
import { Feeds } from './feeds.js';
import { LogStreams } from './log-streams.js';
import { LogsController } from './logs.controller.js';
import { StatsController } from './stats.controller.js';

/** What is at hand while instances run. */
@Module({
  imports: [StreamsModule],
  controllers: [LogsController, ExecController, StatsController],
  providers: [Feeds, LogStreams, Exec],
})
export class InstancesModule {}
