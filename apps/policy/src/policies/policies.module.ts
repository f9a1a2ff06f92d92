import { Module } from '@nestjs/common';
import { LivePoliciesModule } from './live-policies.module.js';
import { PoliciesController } from './policies.controller.js';
import { PoliciesService } from './policies.js';

@Module({ imports: [LivePoliciesModule], controllers: [PoliciesController], providers: [PoliciesService] })
export class PoliciesModule {}
