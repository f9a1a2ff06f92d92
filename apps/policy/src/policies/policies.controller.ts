import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import {
  actions,
  policyRpc,
  type FormattedPolicy,
  type Page,
  type Policy,
  type PolicyVersion,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PoliciesService } from './policies.js';
import { PolicyChanges } from './policy-changes.js';

@Controller()
export class PoliciesController {
  constructor(
    private readonly policies: PoliciesService,
    private readonly changes: PolicyChanges,
  ) {}

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

  @Handles(policyRpc.listPolicyVersions)
  @Performs(actions.policyRead)
  versions(request: z.output<typeof policyRpc.listPolicyVersions.request>): Promise<Page<PolicyVersion>> {
    return this.policies.versions(request);
  }

  @Handles(policyRpc.formatPolicy)
  @Performs(actions.policyFormat)
  format(request: z.output<typeof policyRpc.formatPolicy.request>): Promise<FormattedPolicy> {
    return this.policies.format(request);
  }

  @Handles(policyRpc.applyPolicy)
  @Performs(actions.policyApply)
  apply(request: z.output<typeof policyRpc.applyPolicy.request>): Promise<Policy> {
    return this.changes.apply(request);
  }

  @Handles(policyRpc.bindPolicy)
  @Performs(actions.policyBind)
  bind(request: z.output<typeof policyRpc.bindPolicy.request>): Promise<Policy> {
    return this.changes.bind(request);
  }

  @Handles(policyRpc.rollBackPolicy)
  @Performs(actions.policyRollback)
  rollBack(request: z.output<typeof policyRpc.rollBackPolicy.request>): Promise<Policy> {
    return this.changes.rollBack(request);
  }

  @Handles(policyRpc.removePolicy)
  @Performs(actions.policyRemove)
  remove(request: z.output<typeof policyRpc.removePolicy.request>): Promise<Record<string, never>> {
    return this.changes.remove(request);
  }
}
