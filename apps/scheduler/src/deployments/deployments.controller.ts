import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type Deployment, type Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { DeploymentsService } from './deployments.js';

@Controller()
export class DeploymentsController {
  constructor(private readonly deployments: DeploymentsService) {}

  @Handles(schedulerRpc.createDeployment)
  @Performs(actions.deploymentCreate)
  create(request: z.infer<typeof schedulerRpc.createDeployment.request>): Promise<Deployment> {
    return this.deployments.create(request);
  }

  @Handles(schedulerRpc.listDeployments)
  @Performs(actions.deploymentList)
  list(request: z.infer<typeof schedulerRpc.listDeployments.request>): Promise<Page<Deployment>> {
    return this.deployments.list(request);
  }

  @Handles(schedulerRpc.getDeployment)
  @Performs(actions.deploymentRead)
  get({ id }: z.infer<typeof schedulerRpc.getDeployment.request>): Promise<Deployment> {
    return this.deployments.get(id);
  }

  @Handles(schedulerRpc.cancelDeployment)
  @Performs(actions.deploymentCancel)
  cancel({ id }: z.infer<typeof schedulerRpc.cancelDeployment.request>): Promise<Deployment> {
    return this.deployments.cancel(id);
  }
}
