import { Controller } from '@nestjs/common';
import { Performs } from '@berth/actions';
import { actions, registryRpc, type CollectedGarbage, type CollectGarbage } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Collector } from './collector.js';

@Controller()
export class HousekeepingController {
  constructor(private readonly collector: Collector) {}

  @Handles(registryRpc.collect)
  @Performs(actions.imageCollect)
  collect(request: CollectGarbage): Promise<CollectedGarbage> {
    return this.collector.collect(request);
  }
}
