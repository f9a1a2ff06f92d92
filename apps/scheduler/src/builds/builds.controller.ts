import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, buildRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { BuildsService } from './builds.js';

@Controller()
export class BuildsController {
  constructor(private readonly builds: BuildsService) {}

  @Handles(buildRpc.start)
  @Performs(actions.imageBuild)
  start(request: z.infer<typeof buildRpc.start.request>): Promise<Record<string, never>> {
    return this.builds.start(request);
  }
}
