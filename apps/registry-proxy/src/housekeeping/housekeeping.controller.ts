import { Controller } from '@nestjs/common';
import { Performs } from '@berth/actions';
import {
  actions,
  registryRpc,
  type CollectedGarbage,
  type CollectGarbage,
  type ScrubbedImages,
  type ScrubImages,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Collector } from './collector.js';
import { Scrubber } from './scrubber.js';

@Controller()
export class HousekeepingController {
  constructor(
    private readonly collector: Collector,
    private readonly scrubber: Scrubber,
  ) {}

  @Handles(registryRpc.collect)
  @Performs(actions.imageCollect)
  collect(request: CollectGarbage): Promise<CollectedGarbage> {
    return this.collector.collect(request);
  }

  @Handles(registryRpc.scrub)
  @Performs(actions.imageScrub)
  scrub(request: ScrubImages): Promise<ScrubbedImages> {
    return this.scrubber.ask(request);
  }
}
