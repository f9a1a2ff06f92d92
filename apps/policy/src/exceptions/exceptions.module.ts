import { Module } from '@nestjs/common';
import { PoliciesModule } from '../policies/policies.module.js';
import { LivePoliciesModule } from '../policies/live-policies.module.js';
import { ExceptionsController } from './exceptions.controller.js';
import { RemovedScopes } from './removed-scopes.js';
import { PolicyExceptions } from './policy-exceptions.js';

@Module({
  imports: [LivePoliciesModule, PoliciesModule],
  controllers: [ExceptionsController],
  providers: [PolicyExceptions, RemovedScopes],
})
export class ExceptionsModule {}
