import { Module } from '@nestjs/common';
import { Settlements } from './settlements.js';

@Module({ providers: [Settlements], exports: [Settlements] })
export class SettlementsModule {}
