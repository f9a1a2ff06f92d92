import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline, notFound } from '@berth/actions';
import { actions, type ResourceRef, type Service } from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine, type EngineService } from '../engine/container-engine.js';
import {
  environmentResource,
  serviceResource,
  type EnvironmentEntity,
} from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { RunSpecs } from '../environments/run-specs.js';
import { Ingress } from '../ingress/ingress.js';

/** What runs in an environment, as the engine says. */
@Injectable()
export class ServicesService {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly specs: RunSpecs,
    private readonly ingress: Ingress,
    private readonly pipeline: ActionPipeline,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  async list(project: string, name: string): Promise<{ items: Service[]; nextCursor: null }> {
    const environment = await this.environments.find(project, name);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.serviceList, resource, context: {} }, async () => {
      const [running, spec] = await Promise.all([
        this.engine.services({ project, environment: name }),
        this.specs.of(environment.deployment),
      ]);
      const items = running.map((service) => {
        const url = this.ingress.urlOf({ project, environment: name, service: service.name }, spec);
        return toService(service, spec, url);
      });
      return { items, nextCursor: null };
    });
  }

  /**
   * The resources of services that there are, by name: of the named ones, or of all. Throws NOT_FOUND for one that is not
   * there.
   */
  async resources(
    environment: EnvironmentEntity,
    names: readonly string[] | null,
  ): Promise<Map<string, ResourceRef>> {
    const { project, name } = environment;
    const running = (await this.engine.services({ project, environment: name })).map(
      (service) => service.name,
    );
    const found = (names ?? running).map(
      (service) => [service, serviceResource(environment, service)] as const,
    );
    const missing = found.find(([service]) => !running.includes(service));
    if (missing) throw notFound(missing[1]);
    return new Map(found);
  }
}

export function toService(service: EngineService, spec: RunSpec | null, url: string | null): Service {
  const { name, image, release, desired, instances } = service;
  return {
    name,
    image: spec?.services[name]?.image ?? image,
    release,
    replicas: { running: instances.filter(({ state }) => state === 'running').length, desired },
    url,
    hosts: spec?.services[name]?.hosts ?? [],
    ports: portsOf(service),
    instances: instances.map(({ id, state, healthy, release: own, startedAt, message }) => ({
      ...{ id, state, healthy, startedAt, message, release: own },
    })),
  };
}

/** Each port where it really is: one the engine picked differs from instance to instance. */
function portsOf({ ports, instances }: EngineService): Service['ports'] {
  const live = instances.filter(({ state }) => state === 'running').flatMap((instance) => instance.ports);
  return ports.flatMap(({ target, published, protocol }) => {
    const held = live.filter((port) => port.target === target && port.protocol === protocol);
    const at = [...new Set(published === null ? held.map((port) => port.published) : [published])];
    return (at.length > 0 ? at : [null]).map((port) => ({
      ...{ target, protocol, published: port },
      url: port !== null && protocol === 'tcp' ? `http://127.0.0.1:${port}` : null,
    }));
  });
}
