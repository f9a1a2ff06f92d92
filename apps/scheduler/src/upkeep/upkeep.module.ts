import { Module } from '@nestjs/common';
import { SettlementsModule } from './settlements.module.js';
import { Sweeper } from './sweeper.js';

@Module({ imports: [SettlementsModule], providers: [Sweeper] })
export class UpkeepModule {}
