import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type Page, type Release } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { ReleasesService } from './releases.js';

@Controller()
export class ReleasesController {
  constructor(private readonly releases: ReleasesService) {}

  @Handles(schedulerRpc.listReleases)
  @Performs(actions.releaseList)
  list(request: z.infer<typeof schedulerRpc.listReleases.request>): Promise<Page<Release>> {
    return this.releases.list(request);
  }
}
