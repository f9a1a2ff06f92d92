import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import { ActionPipeline, notFound } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  toPage,
  environmentCreated,
  environmentUpdated,
  type Environment,
  type Page,
  type schedulerRpc,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { isForeignKeyViolation, isUniqueViolation } from '../database-errors.js';
import { projectResource } from '../projects/project.entity.js';
import { ProjectsService } from '../projects/projects.js';
import { EnvironmentEntity, environmentResource, toEnvironment } from './environment.entity.js';

type Create = z.infer<typeof schedulerRpc.createEnvironment.request>;
type List = z.infer<typeof schedulerRpc.listEnvironments.request>;
type Update = z.infer<typeof schedulerRpc.updateEnvironment.request>;

/** Environments of projects, and their variables. */
@Injectable()
export class EnvironmentsService {
  constructor(
    @InjectRepository(EnvironmentEntity) private readonly environments: Repository<EnvironmentEntity>,
    private readonly projects: ProjectsService,
    private readonly pipeline: ActionPipeline,
  ) {}

  /** Throws ALREADY_EXISTS, or NOT_FOUND when there is no such project. */
  async create({ project, name, variables }: Create): Promise<Environment> {
    const owner = await this.projects.find(project);
    const resource = projectResource(owner);
    const context = { name, variables: Object.keys(variables).sort() };
    return this.pipeline.change({ action: actions.environmentCreate, resource, context }, async (tx) => {
      const id = uuidv7();
      try {
        await tx.insert(EnvironmentEntity, { id, project, name, team: owner.team, variables });
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

  /** Replaces the variables. They count from the next deployment on. */
  async update({ project, environment: name, variables }: Update): Promise<Environment> {
    const { id, ...found } = await this.find(project, name);
    const resource = environmentResource(found);
    const context = { variables: Object.keys(variables).sort() };
    return this.pipeline.change({ action: actions.environmentUpdate, resource, context }, async (tx) => {
      await tx.update(EnvironmentEntity, { id }, { variables });
      const updated = await tx.findOneBy(EnvironmentEntity, { id });
      if (!updated) throw notFound(resource);
      const environment = toEnvironment(updated);
      const event = draftEvent(environmentUpdated, place(environment), environment);
      return { result: environment, outcome: {}, events: [event] };
    });
  }

  /** Throws NOT_FOUND in the words that also an invisible one is told in. */
  async find(project: string, name: string): Promise<EnvironmentEntity> {
    const environment = await this.environments.findOneBy({ project, name });
    if (!environment) throw notFound({ type: 'Environment', id: `${project}.${name}` });
    return environment;
  }
}

function place({ team, project, name }: Environment): { team: string; project: string; environment: string } {
  return { team, project, environment: name };
}
