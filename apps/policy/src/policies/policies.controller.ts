import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, policyRpc, type Page, type Policy } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PoliciesService } from './policies.js';

@Controller()
export class PoliciesController {
  constructor(private readonly policies: PoliciesService) {}

  @Handles(policyRpc.listPolicies)
  @Performs(actions.policyList)
  list(request: z.output<typeof policyRpc.listPolicies.request>): Promise<Page<Policy>> {
    return this.policies.list(request);
  }

  @Handles(policyRpc.getPolicy)
  @Performs(actions.policyRead)
  get(request: z.output<typeof policyRpc.getPolicy.request>): Promise<Policy> {
    return this.policies.get(request);
  }

  @Handles(policyRpc.applyPolicy)
  @Performs(actions.policyApply)
  apply(request: z.output<typeof policyRpc.applyPolicy.request>): Promise<Policy> {
    return this.policies.apply(request);
  }

  @Handles(policyRpc.removePolicy)
  @Performs(actions.policyRemove)
  remove(request: z.output<typeof policyRpc.removePolicy.request>): Promise<Record<string, never>> {
    return this.policies.remove(request);
  }
}
