import { Module } from '@nestjs/common';
import { LivePoliciesModule } from './live-policies.module.js';
import { PoliciesController } from './policies.controller.js';
import { PoliciesService } from './policies.js';
import { PolicyChanges } from './policy-changes.js';
import { StalePermits } from './stale-permits.js';

@Module({
  imports: [LivePoliciesModule],
  controllers: [PoliciesController],
  providers: [PoliciesService, PolicyChanges, StalePermits],
  exports: [StalePermits],
})
export class PoliciesModule {}
