import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs, Public } from '@berth/actions';
import { actions, policyRpc, type PolicyExplanation, type PolicySimulation } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Assessor } from './assessor.js';
import { Explainer } from './explainer.js';
import { Simulator } from './simulator.js';

@Controller()
export class SimulationController {
  constructor(
    private readonly simulator: Simulator,
    private readonly explainer: Explainer,
    private readonly assessor: Assessor,
  ) {}

  @Handles(policyRpc.assess)
  @Public('within actions that were asked about; nothing comes of it, and only services may publish it')
  assess(
    request: z.output<typeof policyRpc.assess.request>,
  ): Promise<z.output<typeof policyRpc.assess.response>> {
    return this.assessor.assess(request);
  }

  @Handles(policyRpc.simulatePolicies)
  @Performs(actions.policySimulate)
  simulate(request: z.output<typeof policyRpc.simulatePolicies.request>): Promise<PolicySimulation> {
    return this.simulator.simulate(request);
  }

  @Handles(policyRpc.explainDecision)
  @Performs(actions.policyExplain)
  explain(request: z.output<typeof policyRpc.explainDecision.request>): Promise<PolicyExplanation> {
    return this.explainer.explain(request);
  }
}
