import { Module } from '@nestjs/common';
import { LimitStore } from './limit-store.js';
import { LimitsController } from './limits.controller.js';
import { LimitsService } from './limits.js';
import { StorageLimitController } from './storage-limit.controller.js';
import { StoredImages } from './stored-images.js';

@Module({
  controllers: [LimitsController, StorageLimitController],
  providers: [LimitStore, StoredImages, LimitsService],
})
export class LimitsModule {}
