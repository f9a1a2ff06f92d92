import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  toPage,
  type Page,
  type Resource,
  type resourceRpc,
} from '@berth/contracts';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { RunSpecs } from '../environments/run-specs.js';
import { toResource, type DeclaredResource } from './declared-resource.js';

type List = z.infer<typeof resourceRpc.list.request>;

/** What resources environments have. Nothing is changed here, and no credentials are shown. */
@Injectable()
export class ResourcesService {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly specs: RunSpecs,
    private readonly pipeline: ActionPipeline,
  ) {}

  async list({ project, environment: where, limit, cursor }: List): Promise<Page<Resource>> {
    const environment = await this.environments.find(project, where);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.resourceList, resource, context: {} }, async () => {
      const running = await this.specs.of(environment.deployment);
      const after = positionOf(cursor, 'name');
      const found = Object.keys(environment.resources)
        .filter((name) => name > after)
        .sort()
        .slice(0, limit + 1);
      const show = (name: string): Resource =>
        toResource(name, environment.resources[name], environment, running);
      return toPage(found, limit, show, (name) => ({ name }));
    });
  }

  async get(project: string, where: string, name: string): Promise<Resource> {
    const environment = await this.environments.find(project, where);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.resourceRead, resource, context: { name } }, async () => {
      const declared = declaredIn(environment, name);
      return toResource(name, declared, environment, await this.specs.of(environment.deployment));
    });
  }
}

/** Throws NOT_FOUND. */
export function declaredIn(environment: EnvironmentEntity, name: string): DeclaredResource {
  const { project, name: where, resources } = environment;
  if (Object.hasOwn(resources, name)) return resources[name];
  throw new BerthError(
    'NOT_FOUND',
    `"${project}.${where}" has no resource "${name}". "berth resource ls" lists those it has.`,
  );
}
