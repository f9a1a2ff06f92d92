import { Module } from '@nestjs/common';
import { StreamsModule } from '../streams/streams.module.js';
import { BuildsController } from './builds.controller.js';
import { Builds } from './builds.js';

@Module({ imports: [StreamsModule], controllers: [BuildsController], providers: [Builds] })
export class BuildsModule {}
