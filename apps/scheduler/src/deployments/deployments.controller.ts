import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, secretRpc } from '@berth/contracts';
import type { ChangedEnvironment, ChangedSecret, Deployment, Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Changes } from './changes.js';
import { DeploymentsService } from './deployments.js';
import { Promotions } from './promotions.js';
import { SecretChanges } from './secret-changes.js';

@Controller()
export class DeploymentsController {
  constructor(
    private readonly deployments: DeploymentsService,
    private readonly promotions: Promotions,
    private readonly changes: Changes,
    private readonly secrets: SecretChanges,
  ) {}

  @Handles(secretRpc.set)
  @Performs(actions.secretSet)
  setSecret(request: z.infer<typeof secretRpc.set.request>): Promise<ChangedSecret> {
    return this.secrets.set(request);
  }

  @Handles(schedulerRpc.promote)
  @Performs(actions.deploymentPromote)
  promote(request: z.infer<typeof schedulerRpc.promote.request>): Promise<Deployment> {
    return this.promotions.promote(request);
  }

  @Handles(schedulerRpc.rollBack)
  @Performs(actions.deploymentRollback)
  rollBack(request: z.infer<typeof schedulerRpc.rollBack.request>): Promise<Deployment> {
    return this.promotions.rollBack(request);
  }

  @Handles(schedulerRpc.updateEnvironment)
  @Performs(actions.environmentUpdate)
  configure(request: z.infer<typeof schedulerRpc.updateEnvironment.request>): Promise<ChangedEnvironment> {
    return this.changes.update(request);
  }

  @Handles(schedulerRpc.scaleService)
  @Performs(actions.serviceScale)
  scale(request: z.infer<typeof schedulerRpc.scaleService.request>): Promise<ChangedEnvironment> {
    return this.changes.scale(request);
  }

  @Handles(schedulerRpc.stopService)
  @Performs(actions.serviceStop)
  stop(request: z.infer<typeof schedulerRpc.stopService.request>): Promise<ChangedEnvironment> {
    return this.changes.stop(request);
  }

  @Handles(schedulerRpc.restartService)
  @Performs(actions.serviceRestart)
  restart(request: z.infer<typeof schedulerRpc.restartService.request>): Promise<ChangedEnvironment> {
    return this.changes.restart(request);
  }

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
