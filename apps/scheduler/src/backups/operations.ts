import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, type Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, type Grant } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  toPage,
  type ActionDefinition,
  type Page,
  type ResourceOperation,
  type resourceRpc,
} from '@berth/contracts';
import { newId } from '@berth/runtime';
import { isUniqueViolation } from '../database-errors.js';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { declaredIn } from '../resources/resources.js';
import { Backups } from './backups.js';
import { ResourceOperationEntity, toOperation } from './operation.entity.js';
import { OperationWorker } from './operation-worker.js';

type BackUp = z.infer<typeof resourceRpc.backUp.request>;
type Restore = z.infer<typeof resourceRpc.restore.request>;
type List = z.infer<typeof resourceRpc.listOperations.request>;
type Get = z.infer<typeof resourceRpc.getOperation.request>;

/** Takes in what is asked for of backups, one at a time for each resource. */
@Injectable()
export class OperationsService {
  constructor(
    @InjectRepository(ResourceOperationEntity)
    private readonly operations: Repository<ResourceOperationEntity>,
    private readonly environments: EnvironmentsService,
    private readonly backups: Backups,
    private readonly pipeline: ActionPipeline,
    private readonly worker: OperationWorker,
  ) {}

  async backUp({ project, environment: where, name }: BackUp): Promise<ResourceOperation> {
    const environment = await this.environments.find(project, where);
    const action = actions.resourceBackup;
    const resource = environmentResource(environment);
    const grant = await this.pipeline.authorize({ action, resource, context: { name } });
    declaredIn(environment, name);
    const id = newId();
    await this.backups.makeKey(environment, grant.actor.user, id);
    try {
      return await this.accept(environment, action, grant, {
        id,
        resource: name,
        kind: 'backup',
        backup: null,
      });
    } catch (error) {
      await this.backups.forgetKey(environment, id);
      throw error;
    }
  }

  async restore({ project, environment: where, name, backup }: Restore): Promise<ResourceOperation> {
    const environment = await this.environments.find(project, where);
    const action = actions.resourceRestore;
    const resource = environmentResource(environment);
    const grant = await this.pipeline.authorize({ action, resource, context: { name, backup } });
    declaredIn(environment, name);
    await this.backups.find(environment.id, name, backup);
    return this.accept(environment, action, grant, { id: newId(), resource: name, kind: 'restore', backup });
  }

  async list({
    project,
    environment: where,
    name,
    kind,
    limit,
    cursor,
  }: List): Promise<Page<ResourceOperation>> {
    const environment = await this.environments.find(project, where);
    const resource = environmentResource(environment);
    const intent = { action: actions.resourceOperations, resource, context: { name } };
    return this.pipeline.read(intent, async () => {
      const found = await this.operations.find({
        where: {
          ...{ environmentId: environment.id, resource: name },
          ...(kind === undefined ? {} : { kind }),
          ...(cursor === undefined ? {} : { id: LessThan(positionOf(cursor, 'id')) }),
        },
        order: { id: 'DESC' },
        take: limit + 1,
      });
      return toPage(found, limit, toOperation, ({ id }) => ({ id }));
    });
  }

  async get({ project, environment: where, name, id }: Get): Promise<ResourceOperation> {
    const environment = await this.environments.find(project, where);
    const resource = environmentResource(environment);
    const intent = { action: actions.resourceOperations, resource, context: { name } };
    return this.pipeline.read(intent, async () => {
      const found = await this.operations.findOneBy({ id, environmentId: environment.id, resource: name });
      if (!found) throw new BerthError('NOT_FOUND', `"${name}" has no backup or restore ${id}.`);
      return toOperation(found);
    });
  }

  private async accept(
    { id: environmentId, team, project, name }: EnvironmentEntity,
    action: ActionDefinition,
    grant: Grant,
    operation: Pick<ResourceOperationEntity, 'id' | 'resource' | 'kind' | 'backup'>,
  ): Promise<ResourceOperation> {
    try {
      await this.operations.manager.transaction(async (tx) => {
        await tx.insert(ResourceOperationEntity, {
          ...operation,
          ...{ environmentId, team, project, environment: name, status: 'running', step: 'waiting' },
          ...{ createdBy: grant.actor.user, permission: grant as object },
        });
        await this.pipeline.judgeOrThrow(action, grant, {});
        await this.pipeline.record(tx, grant, { outcome: 'accepted' });
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new BerthError(
        'CONFLICT',
        `A backup or a restore of "${operation.resource}" is under way. Wait for its end.`,
      );
    }
    this.worker.wake();
    return toOperation(await this.operations.findOneByOrFail({ id: operation.id }));
  }
}
