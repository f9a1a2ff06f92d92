import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, MoreThan, type Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  decodeCursor,
  invalidCursor,
  positionOf,
  toPage,
  environmentCreated,
  environmentUpdated,
  type Configuration,
  type Environment,
  type Page,
  type schedulerRpc,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { newId } from '@berth/runtime';
import { isForeignKeyViolation, isUniqueViolation } from '../database-errors.js';
import { Ingress } from '../ingress/ingress.js';
import { projectResource } from '../projects/project.entity.js';
import { ProjectsService } from '../projects/projects.js';
import { ConfigurationEntity, toConfiguration, type Settings } from './configuration.entity.js';
import { EnvironmentEntity, environmentResource, toEnvironment } from './environment.entity.js';

type Create = z.infer<typeof schedulerRpc.createEnvironment.request>;
type List = z.infer<typeof schedulerRpc.listEnvironments.request>;
type SetOnDrift = z.infer<typeof schedulerRpc.setOnDrift.request>;
type ListConfigurations = z.infer<typeof schedulerRpc.listConfigurations.request>;

/** Environments of projects, and what they add to releases. */
@Injectable()
export class EnvironmentsService {
  constructor(
    @InjectRepository(EnvironmentEntity) private readonly environments: Repository<EnvironmentEntity>,
    @InjectRepository(ConfigurationEntity)
    private readonly configurations: Repository<ConfigurationEntity>,
    private readonly projects: ProjectsService,
    private readonly pipeline: ActionPipeline,
    private readonly ingress: Ingress,
  ) {}

  /** Throws ALREADY_EXISTS, or NOT_FOUND when there is no such project. */
  async create({ project, name, variables, services, onDrift }: Create): Promise<Environment> {
    const owner = await this.projects.find(project);
    const resource = projectResource(owner);
    const context = { name, ...namesOf({ variables, services }) };
    const change = { action: actions.environmentCreate, resource, context };
    const created = await this.pipeline.change(change, async (tx) => {
      const id = newId();
      try {
        await tx.insert(EnvironmentEntity, {
          ...{ id, project, name, team: owner.team, variables, services, restarts: {}, resources: {} },
          ...{ configuration: 1, onDrift },
        });
        await tx.insert(ConfigurationEntity, {
          ...{ environmentId: id, version: 1, variables, services, restarts: {}, resources: {} },
          createdBy: requireActor().user,
        });
      } catch (error) {
        if (isUniqueViolation(error))
          throw new BerthError(
            'ALREADY_EXISTS',
            `Project "${project}" has an environment "${name}" already.`,
          );
        if (isForeignKeyViolation(error)) throw notFound(resource);
        throw error;
      }
      const environment = toEnvironment(await tx.findOneByOrFail(EnvironmentEntity, { id }));
      const event = draftEvent(environmentCreated, place(environment), environment);
      return { result: environment, outcome: {}, events: [event] };
    });
    this.ingress.wake();
    return created;
  }

  /** What is done about drift from now on. Nothing that runs changes. */
  async setOnDrift({ project, environment: name, onDrift }: SetOnDrift): Promise<Environment> {
    const environment = await this.find(project, name);
    const resource = environmentResource(environment);
    const intent = { action: actions.environmentReconcile, resource, context: { onDrift } };
    return this.pipeline.change(intent, async (tx) => {
      const { id } = environment;
      const { affected } = await tx.update(EnvironmentEntity, { id }, { onDrift });
      if (!affected) throw notFound(resource);
      const changed = toEnvironment(await tx.findOneByOrFail(EnvironmentEntity, { id }));
      const event = draftEvent(environmentUpdated, place(changed), changed);
      return { result: changed, outcome: {}, events: [event] };
    });
  }

  async list({ project, limit, cursor }: List): Promise<Page<Environment>> {
    const resource = projectResource(await this.projects.find(project));
    return this.pipeline.read({ action: actions.environmentList, resource, context: {} }, async () => {
      const found = await this.environments.find({
        where: { project, ...(cursor === undefined ? {} : { name: MoreThan(positionOf(cursor, 'name')) }) },
        order: { name: 'ASC' },
        take: limit + 1,
      });
      return toPage(found, limit, toEnvironment, ({ name }) => ({ name }));
    });
  }

  async get(project: string, name: string): Promise<Environment> {
    const environment = await this.find(project, name);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.environmentRead, resource, context: {} }, () =>
      Promise.resolve(toEnvironment(environment)),
    );
  }

  async listConfigurations({
    project,
    environment: name,
    limit,
    cursor,
  }: ListConfigurations): Promise<Page<Configuration>> {
    const environment = await this.find(project, name);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.configurationList, resource, context: {} }, async () => {
      const before = cursor === undefined ? null : versionOf(cursor);
      const found = await this.configurations.find({
        where: { environmentId: environment.id, ...(before === null ? {} : { version: LessThan(before) }) },
        order: { version: 'DESC' },
        take: limit + 1,
      });
      const show = (entity: ConfigurationEntity): Configuration =>
        toConfiguration(entity, environment.configuration);
      return toPage(found, limit, show, ({ version }) => ({ version }));
    });
  }

  exists(project: string, name: string): Promise<boolean> {
    return this.environments.existsBy({ project, name });
  }

  /** Throws NOT_FOUND in the words that also an invisible one is told in. */
  async find(project: string, name: string): Promise<EnvironmentEntity> {
    const environment = await this.environments.findOneBy({ project, name });
    if (!environment) throw notFound({ type: 'Environment', id: `${project}.${name}` });
    return environment;
  }
}

/** What policy judges of settings: which there are, not what they hold. */
export function namesOf({ variables, services }: Pick<Settings, 'variables' | 'services'>): {
  variables: string[];
  services: string[];
} {
  return { variables: Object.keys(variables).sort(), services: Object.keys(services).sort() };
}

function versionOf(cursor: string): number {
  const version = decodeCursor(cursor)?.version;
  if (typeof version !== 'number' || !Number.isInteger(version)) throw invalidCursor();
  return version;
}

function place({ team, project, name }: Environment): { team: string; project: string; environment: string } {
  return { team, project, environment: name };
}
