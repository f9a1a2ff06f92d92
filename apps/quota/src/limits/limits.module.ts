import { Module } from '@nestjs/common';
import { LimitStore } from './limit-store.js';
import { LimitsController } from './limits.controller.js';
import { LimitsService } from './limits.js';

@Module({ controllers: [LimitsController], providers: [LimitStore, LimitsService] })
export class LimitsModule {}
