import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, type Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  deploymentProgressed,
  Id,
  invalidCursor,
  positionOf,
  toPage,
  isFinished,
  type Deployment,
  type Page,
  type schedulerRpc,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { environmentResource } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { DeploymentEntity, deploymentResource, toDeployment } from './deployment.entity.js';
import { Intake } from './intake.js';
import { RolloutWorker } from './rollout-worker.js';

type Create = z.infer<typeof schedulerRpc.createDeployment.request>;
type List = z.infer<typeof schedulerRpc.listDeployments.request>;

/** Deployments, as people ask for them, look at them and cancel them. */
@Injectable()
export class DeploymentsService {
  constructor(
    @InjectRepository(DeploymentEntity) private readonly deployments: Repository<DeploymentEntity>,
    private readonly environments: EnvironmentsService,
    private readonly intake: Intake,
    private readonly worker: RolloutWorker,
    private readonly pipeline: ActionPipeline,
  ) {}

  async create({ project, environment, compose, images }: Create): Promise<Deployment> {
    const deployment = await this.intake.take(await this.environments.find(project, environment), {
      cause: 'deploy',
      source: { compose, images },
    });
    this.worker.wake();
    return deployment;
  }

  async list({ project, environment, limit, cursor }: List): Promise<Page<Deployment>> {
    const found = await this.environments.find(project, environment);
    const resource = environmentResource(found);
    return this.pipeline.read({ action: actions.deploymentList, resource, context: {} }, async () => {
      const entities = await this.deployments.find({
        where: {
          environmentId: found.id,
          // Ids are UUIDs of version 7: they sort by time.
          ...(cursor === undefined ? {} : { id: LessThan(idOf(cursor)) }),
        },
        order: { id: 'DESC' },
        take: limit + 1,
      });
      return toPage(entities, limit, toDeployment, ({ id }) => ({ id }));
    });
  }

  async get(id: string): Promise<Deployment> {
    const deployment = await this.find(id);
    const resource = deploymentResource(deployment);
    return this.pipeline.read({ action: actions.deploymentRead, resource, context: {} }, async () =>
      toDeployment(await this.find(id)),
    );
  }

  /** Asks for its end; it is over when what ran before serves again. Throws CONFLICT when it has ended. */
  async cancel(id: string): Promise<Deployment> {
    const resource = deploymentResource(await this.find(id));
    const { user } = requireActor();
    const cancelled = await this.pipeline.change(
      { action: actions.deploymentCancel, resource, context: {} },
      async (transaction) => {
        const entity = await transaction.findOne(DeploymentEntity, {
          where: { id },
          lock: { mode: 'pessimistic_write' },
        });
        if (!entity) throw notFound(resource);
        if (isFinished(entity.status))
          throw new BerthError('CONFLICT', `The deployment has ended already: ${entity.status}.`);
        if (entity.undo === null) await transaction.update(DeploymentEntity, { id }, { cancelledBy: user });
        const deployment = toDeployment(entity);
        return {
          result: deployment,
          outcome: {},
          events: [draftEvent(deploymentProgressed, resource, deployment)],
        };
      },
    );
    this.worker.cancel(id, user);
    return cancelled;
  }

  private async find(id: string): Promise<DeploymentEntity> {
    const deployment = await this.deployments.findOneBy({ id });
    if (!deployment) throw notFound({ type: 'Deployment', id });
    return deployment;
  }
}

function idOf(cursor: string): string {
  const id = Id.safeParse(positionOf(cursor, 'id'));
  if (!id.success) throw invalidCursor();
  return id.data;
}
