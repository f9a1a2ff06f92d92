import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, quotaRpc, type Page, type Quota } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { LimitsService } from './limits.js';

@Controller()
export class LimitsController {
  constructor(private readonly limits: LimitsService) {}

  @Handles(quotaRpc.list)
  @Performs(actions.quotaList)
  list(request: z.infer<typeof quotaRpc.list.request>): Promise<Page<Quota>> {
    return this.limits.list(request);
  }

  @Handles(quotaRpc.get)
  @Performs(actions.quotaRead)
  get(request: z.infer<typeof quotaRpc.get.request>): Promise<Quota> {
    return this.limits.get(request);
  }

  @Handles(quotaRpc.set)
  @Performs(actions.quotaSet)
  set(request: z.infer<typeof quotaRpc.set.request>): Promise<Quota> {
    return this.limits.set(request);
  }
}
