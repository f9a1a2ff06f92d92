import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, statsRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { StatsService } from './stats.js';

@Controller()
export class StatsController {
  constructor(private readonly stats: StatsService) {}

  @Handles(statsRpc.stream)
  @Performs(actions.serviceStats)
  start(request: z.infer<typeof statsRpc.stream.request>): Promise<z.infer<typeof statsRpc.stream.response>> {
    return this.stats.start(request);
  }
}
