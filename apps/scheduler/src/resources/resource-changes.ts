import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline, type Grant } from '@berth/actions';
import {
  actions,
  BerthError,
  type ActionDefinition,
  type ChangedResource,
  type Deployment,
  type resourceRpc,
} from '@berth/contracts';
import { Redeployment } from '../deployments/redeployment.js';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { parseEntry } from './catalog-entry.js';
import type { Kept } from './credentials.js';
import { toBacking, toResource, type DeclaredResource, type DeclaredResources } from './declared-resource.js';
import { ResourceMaking } from './resource-making.js';
import { declaredIn } from './resources.js';
import { describeRule, mayCome } from './upgrade-rule.js';

type Add = z.infer<typeof resourceRpc.add.request>;
type Named = z.infer<typeof resourceRpc.rotate.request>;
type Remove = z.infer<typeof resourceRpc.remove.request>;
type Upgrade = z.infer<typeof resourceRpc.upgrade.request>;

interface Change {
  action: ActionDefinition;
  grant: Grant;
  resources: DeclaredResources;
  discards?: string[];
}

/**
 * Changes of the resources of an environment. Each is a deployment of what runs, with other settings: it comes into force
 * when that has succeeded, and one that fails leaves all as it was.
 */
@Injectable()
export class ResourceChanges {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly making: ResourceMaking,
    private readonly redeployment: Redeployment,
  ) {}

  /** Throws ALREADY_EXISTS, NOT_FOUND for an entry or a version that there is not, and what a deployment does. */
  async add({ project, environment: where, entry, name, version }: Add): Promise<ChangedResource> {
    const environment = await this.making.environment(project, where);
    const found = await this.making.entry(environment, entry);
    const wanted = version ?? found?.entry.versions[0] ?? '';
    const action = actions.resourceAdd;
    const grant = await this.authorize(action, environment, { name, entry, version: wanted });
    if (Object.hasOwn(environment.resources, name))
      throw new BerthError('ALREADY_EXISTS', `"${project}.${where}" has a resource "${name}" already.`);
    const { declared, kept } = await this.making.declare(environment, grant, { name, entry, wanted, found });
    const resources = { ...environment.resources, [name]: declared };
    const change = { action, grant, resources };
    return this.keeping(environment, name, kept, () => this.bring(environment, name, declared, change));
  }

  /** New credentials: the services that use them are replaced, start-first, and the old ones end after the last of them. */
  async rotate({ project, environment: where, name }: Named): Promise<ChangedResource> {
    const environment = await this.making.environment(project, where);
    const action = actions.resourceRotate;
    const grant = await this.authorize(action, environment, { name });
    const present = declaredIn(environment, name);
    const entry = parseEntry(present.entry, present.file);
    const kept = await this.making.credentials.next(environment, grant.actor.user, name, entry);
    const declared = { ...present, credential: kept.version };
    const change = { action, grant, resources: { ...environment.resources, [name]: declared } };
    return this.keeping(environment, name, kept, () => this.bring(environment, name, declared, change));
  }

  /** Throws CONFLICT where the entry's rule does not allow to come from the present version to that one. */
  async upgrade({ project, environment: where, name, version }: Upgrade): Promise<ChangedResource> {
    const environment = await this.making.environment(project, where);
    const action = actions.resourceUpgrade;
    const from = environment.resources[name]?.version ?? '';
    const grant = await this.authorize(action, environment, { name, from, to: version });
    const present = declaredIn(environment, name);
    const { upgrades } = parseEntry(present.entry, present.file);
    if (!mayCome(upgrades, present.version, version))
      throw new BerthError(
        'CONFLICT',
        `"${name}" cannot be brought from ${present.version} to ${version} in place (the rule of "${present.entry}" is ${describeRule(upgrades)}). Add another resource, and restore into it with the tools of ${present.entry}.`,
      );
    const declared = {
      ...present,
      version,
      image: await this.making.image(name, present.file, present.entry, version),
    };
    const change = { action, grant, resources: { ...environment.resources, [name]: declared } };
    return this.bring(environment, name, declared, change);
  }

  /** Throws RESOURCE_IN_USE while a service that runs uses it. What it holds stays, unless told otherwise. */
  async remove({ project, environment: where, name, data }: Remove): Promise<Deployment> {
    const environment = await this.making.environment(project, where);
    const action = actions.resourceRemove;
    const grant = await this.authorize(action, environment, { name, data });
    const declared = declaredIn(environment, name);
    const { usedBy } = toResource(name, declared, environment, await this.making.running(environment));
    if (usedBy.length > 0) throw inUse(name, usedBy);
    const { [name]: _removed, ...resources } = environment.resources;
    const discards = data ? Object.keys(toBacking(name, declared).volumes) : [];
    return this.deploy(environment, { action, grant, resources, discards });
  }

  private authorize<Context extends z.ZodObject>(
    action: ActionDefinition<Context>,
    environment: EnvironmentEntity,
    context: z.input<Context>,
  ): Promise<Grant> {
    return this.pipeline.authorize({ action, resource: environmentResource(environment), context });
  }

  /** Of a change that is refused, no credentials stay. */
  private async keeping<T>(
    environment: EnvironmentEntity,
    name: string,
    kept: Kept,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // Where the database is away by now, they stay: nothing ever uses them. What is told is why it was refused.
      await this.making.credentials.forget(environment, name, kept).catch(() => undefined);
      throw error;
    }
  }

  private async bring(
    environment: EnvironmentEntity,
    name: string,
    declared: DeclaredResource,
    change: Change,
  ): Promise<ChangedResource> {
    const deployment = await this.deploy(environment, change);
    const running = await this.making.running(environment);
    return { ...toResource(name, declared, environment, running), deployment };
  }

  private deploy(
    environment: EnvironmentEntity,
    { action, grant, resources, discards }: Change,
  ): Promise<Deployment> {
    const settings = { ...environment, resources };
    return this.redeployment.ofPresent(environment, {
      ...{ cause: 'resource' as const, asked: { action, grant }, settings },
      ...(discards?.length ? { discards } : {}),
    });
  }
}

function inUse(name: string, services: string[]): BerthError {
  const whom = services.map((service) => `"${service}"`).join(', ');
  return new BerthError(
    'RESOURCE_IN_USE',
    `The resource "${name}" is used by ${whom}. Deploy a Compose file in which they do not use it first.`,
    { resource: name, services },
  );
}
