import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, type Grant } from '@berth/actions';
import {
  actions,
  environmentUpdated,
  type ActionDefinition,
  type ChangedEnvironment,
  type DeploymentCause,
  type ResourceRef,
  type schedulerRpc,
} from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import type { Settings } from '../environments/configuration.entity.js';
import { EnvironmentEntity, environmentResource, toEnvironment } from '../environments/environment.entity.js';
import { EnvironmentsService, namesOf } from '../environments/environments.js';
import { addConfiguration } from './deployment-store.js';
import { Redeployment } from './redeployment.js';

type Update = z.infer<typeof schedulerRpc.updateEnvironment.request>;
type Scale = z.infer<typeof schedulerRpc.scaleService.request>;
type Stop = z.infer<typeof schedulerRpc.stopService.request>;
type Restart = z.infer<typeof schedulerRpc.restartService.request>;

interface Change {
  cause: DeploymentCause;
  action: ActionDefinition;
  grant: Grant;
  settings: Settings;
}

/**
 * Changes of what an environment adds to its release. Each is rolled out like a new release, and comes into force when
 * that has succeeded: one that fails leaves settings and instances as they were.
 */
@Injectable()
export class Changes {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly environments: EnvironmentsService,
    private readonly pipeline: ActionPipeline,
    private readonly redeployment: Redeployment,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** Replaces the variables, and the settings of services where they are given. */
  async update({ project, environment: name, variables, services }: Update): Promise<ChangedEnvironment> {
    const environment = await this.environments.find(project, name);
    const settings = {
      variables,
      services: services ?? environment.services,
      restarts: environment.restarts,
      resources: environment.resources,
    };
    const action = actions.environmentUpdate;
    const context = namesOf(settings);
    const grant = await this.pipeline.authorize({
      action,
      resource: environmentResource(environment),
      context,
    });
    await this.authorizeStops(environment, settings);
    return this.apply(environment, { cause: 'configure', action, grant, settings });
  }

  /** Throws NOT_FOUND for a service that does not run. */
  async scale({ project, environment: name, service, replicas }: Scale): Promise<ChangedEnvironment> {
    const environment = await this.environments.find(project, name);
    const action = actions.serviceScale;
    const resource = serviceResource(environment, service);
    const grant = await this.pipeline.authorize({ action, resource, context: { replicas } });
    await this.authorizeStops(environment, { services: { [service]: { replicas } } });
    return this.resize(environment, service, replicas, { action, grant });
  }

  /** Throws NOT_FOUND for a service that does not run. */
  async stop({ project, environment: name, service }: Stop): Promise<ChangedEnvironment> {
    const environment = await this.environments.find(project, name);
    const action = actions.serviceStop;
    const resource = serviceResource(environment, service);
    const grant = await this.pipeline.authorize({ action, resource, context: {} });
    return this.resize(environment, service, 0, { action, grant });
  }

  /** What brings a service to no instance stops it, by whatever name. */
  private async authorizeStops(
    environment: EnvironmentEntity,
    { services }: Pick<Settings, 'services'>,
  ): Promise<void> {
    for (const [service, { replicas }] of Object.entries(services)) {
      if (replicas !== 0 || environment.services[service]?.replicas === 0) continue;
      const resource = serviceResource(environment, service);
      await this.pipeline.authorize({ action: actions.serviceStop, resource, context: {} });
    }
  }

  private async resize(
    environment: EnvironmentEntity,
    service: string,
    replicas: number,
    asked: Pick<Change, 'action' | 'grant'>,
  ): Promise<ChangedEnvironment> {
    await this.redeployment.requireService(environment, serviceResource(environment, service), service);
    const services = {
      ...environment.services,
      [service]: { ...environment.services[service], replicas },
    };
    return this.apply(environment, { cause: 'scale', ...asked, settings: { ...environment, services } });
  }

  /** Throws NOT_FOUND for a service that does not run. */
  async restart({ project, environment: name, service }: Restart): Promise<ChangedEnvironment> {
    const environment = await this.environments.find(project, name);
    const action = actions.serviceRestart;
    const resource = serviceResource(environment, service);
    const grant = await this.pipeline.authorize({ action, resource, context: {} });
    await this.redeployment.requireService(environment, resource, service);
    const restarts = { ...environment.restarts, [service]: (environment.restarts[service] ?? 0) + 1 };
    return this.apply(environment, {
      cause: 'restart',
      action,
      grant,
      settings: { ...environment, restarts },
    });
  }

  private async apply(environment: EnvironmentEntity, change: Change): Promise<ChangedEnvironment> {
    if (environment.deployment === null) return this.keep(environment, change);
    const { cause, action, grant, settings } = change;
    const asked = { action, grant };
    const deployment = await this.redeployment.ofPresent(environment, { cause, asked, settings });
    const { variables, services } = settings;
    const { configuration } = deployment;
    return { ...toEnvironment(environment), variables, services, configuration, deployment };
  }

  /** Nothing runs: there is nothing to roll out, and the settings are in force at once. */
  private async keep(
    { id, ...environment }: EnvironmentEntity,
    { action, grant, settings }: Change,
  ): Promise<ChangedEnvironment> {
    const resource = environmentResource(environment);
    return this.dataSource.transaction(async (transaction) => {
      const locked = await transaction.findOne(EnvironmentEntity, {
        where: { id },
        lock: { mode: 'pessimistic_write' },
      });
      if (!locked) throw notFound(resource);
      const configuration = await addConfiguration(transaction, locked, settings, grant.actor.user);
      const { variables, services, restarts } = settings;
      await transaction.update(EnvironmentEntity, { id }, { variables, services, restarts, configuration });
      await this.pipeline.judgeOrThrow(action, grant, {});
      await this.pipeline.record(transaction, grant, { outcome: 'succeeded' });
      const changed = toEnvironment(await transaction.findOneByOrFail(EnvironmentEntity, { id }));
      const { team, project, name } = locked;
      const place = { team, project, environment: name };
      await this.outbox.event(transaction, draftEvent(environmentUpdated, place, changed));
      return { ...changed, deployment: null };
    });
  }
}

function serviceResource({ team, project, name }: EnvironmentEntity, service: string): ResourceRef {
  return { type: 'Service', id: `${project}.${name}.${service}`, team, project, environment: name };
}
