import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, policyRpc, type PolicyTestReport } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PolicyTests } from './policy-tests.js';

@Controller()
export class CasesController {
  constructor(private readonly tests: PolicyTests) {}

  @Handles(policyRpc.testPolicies)
  @Performs(actions.policyTest)
  run(request: z.output<typeof policyRpc.testPolicies.request>): Promise<PolicyTestReport> {
    return this.tests.run(request);
  }
}
