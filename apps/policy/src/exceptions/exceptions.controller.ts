import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, policyRpc, type Page, type PolicyException } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PolicyExceptions } from './policy-exceptions.js';

@Controller()
export class ExceptionsController {
  constructor(private readonly exceptions: PolicyExceptions) {}

  @Handles(policyRpc.listPolicyExceptions)
  @Performs(actions.policyList)
  list(request: z.output<typeof policyRpc.listPolicyExceptions.request>): Promise<Page<PolicyException>> {
    return this.exceptions.list(request);
  }

  @Handles(policyRpc.exceptPolicy)
  @Performs(actions.policyExcept)
  add(request: z.output<typeof policyRpc.exceptPolicy.request>): Promise<PolicyException> {
    return this.exceptions.add(request);
  }

  @Handles(policyRpc.endPolicyException)
  @Performs(actions.policyUnexcept)
  end(request: z.output<typeof policyRpc.endPolicyException.request>): Promise<PolicyException> {
    return this.exceptions.end(request);
  }
}
