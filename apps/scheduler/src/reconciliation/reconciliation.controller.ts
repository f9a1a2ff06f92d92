import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type Deployment } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { EnvironmentsService } from '../environments/environments.js';
import { DriftDetector } from './drift-detector.js';
import { Mending } from './mending.js';

@Controller()
export class ReconciliationController {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly detector: DriftDetector,
    private readonly mending: Mending,
  ) {}

  @Handles(schedulerRpc.mend)
  @Performs(actions.environmentMend)
  async mend({ project, environment: name }: z.infer<typeof schedulerRpc.mend.request>): Promise<Deployment> {
    const environment = await this.environments.find(project, name);
    return this.mending.mend(environment, () => this.detector.of(environment));
  }
}
