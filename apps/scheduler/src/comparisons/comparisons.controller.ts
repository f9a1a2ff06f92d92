import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type Diff, type Parity, type Plan } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Comparisons } from './comparisons.js';
import { Parities } from './parities.js';

@Controller()
export class ComparisonsController {
  constructor(
    private readonly comparisons: Comparisons,
    private readonly parities: Parities,
  ) {}

  @Handles(schedulerRpc.plan)
  @Performs(actions.deploymentPlan)
  plan(request: z.infer<typeof schedulerRpc.plan.request>): Promise<Plan> {
    return this.comparisons.plan(request);
  }

  @Handles(schedulerRpc.diff)
  @Performs(actions.environmentCompare)
  diff(request: z.infer<typeof schedulerRpc.diff.request>): Promise<Diff> {
    return this.comparisons.diff(request);
  }

  @Handles(schedulerRpc.parity)
  @Performs(actions.environmentCompare)
  parity(request: z.infer<typeof schedulerRpc.parity.request>): Promise<Parity> {
    return this.parities.parity(request);
  }
}
