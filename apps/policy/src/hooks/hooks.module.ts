import { Module } from '@nestjs/common';
import { LivePoliciesModule } from '../policies/live-policies.module.js';
import { HookSecrets } from './hook-secrets.js';
import { HooksController } from './hooks.controller.js';
import { PolicyHooks } from './policy-hooks.js';

@Module({
  imports: [LivePoliciesModule],
  controllers: [HooksController],
  providers: [HookSecrets, PolicyHooks],
})
export class HooksModule {}
