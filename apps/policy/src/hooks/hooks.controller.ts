import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, policyRpc, type Page, type PolicyHook, type RegisteredHook } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PolicyHooks } from './policy-hooks.js';

@Controller()
export class HooksController {
  constructor(private readonly hooks: PolicyHooks) {}

  @Handles(policyRpc.listHooks)
  @Performs(actions.hookList)
  list(request: z.output<typeof policyRpc.listHooks.request>): Promise<Page<PolicyHook>> {
    return this.hooks.list(request);
  }

  @Handles(policyRpc.setHook)
  @Performs(actions.hookSet)
  set(request: z.output<typeof policyRpc.setHook.request>): Promise<RegisteredHook> {
    return this.hooks.set(request);
  }

  @Handles(policyRpc.removeHook)
  @Performs(actions.hookRemove)
  remove(request: z.output<typeof policyRpc.removeHook.request>): Promise<Record<string, never>> {
    return this.hooks.remove(request);
  }
}
