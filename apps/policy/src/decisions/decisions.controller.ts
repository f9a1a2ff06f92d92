import { Controller } from '@nestjs/common';
import { Public } from '@berth/actions';
import { policyRpc, type Decision, type DecisionRequest } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Decider } from './decider.js';

@Controller()
export class DecisionsController {
  constructor(private readonly decider: Decider) {}

  @Handles(policyRpc.decide)
  @Public('the question that every action asks first; only services may publish it')
  decide(request: DecisionRequest): Promise<Decision> {
    return this.decider.decide(request);
  }
}
