import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { BerthError } from '@berth/contracts';
import type { EnvironmentRef, OwnedObject } from '../container-engine.js';
import { callEngine, engineMessage, hasStatus, orUndefined } from './docker-client.js';
import type { SwarmService } from './engine-api.js';
import { environmentLabels, LABEL, labelFilter } from './labels.js';
import { volumeName, wayInName } from './names.js';
import type { SwarmObjects } from './swarm-objects.js';

const POLL_MS = 100;
/** Swarm's own label on containers. */
const SERVICE_ID = 'com.docker.swarm.service.id';
/** Beyond the longest grace period that a container was given. */
const GONE_MS = 30_000;

/** Takes things out of the engine, and waits until they are: `remove` of a service answers long before it is gone. */
export class Removal {
  constructor(
    private readonly docker: Docker,
    private readonly objects: SwarmObjects,
  ) {}

  /** Removes all Swarm services of an environment, and waits until their containers are gone. */
  async services(target: EnvironmentRef): Promise<void> {
    const doomed = await this.objects.servicesIn(target);
    await this.objects.removeServices(doomed);
    await this.gone(target, graceOf(doomed), () => true);
  }

  /**
   * Removes the Swarm services of an environment but those to keep. They leave the network's names at once; their containers
   * have two seconds and their grace period for what they have in hand, and end by themselves. Only what another may be
   * waiting for is waited for here: a volume, a port, a share of the node, or the word that there is one at a time; or all,
   * where the caller says so.
   */
  async others(
    target: EnvironmentRef,
    keeps: (swarmName: string) => boolean,
    untilGone: boolean,
  ): Promise<void> {
    const present = await this.objects.servicesIn(target);
    const doomed = present.filter((service) => !keeps(service.Spec.Name));
    await this.objects.removeServices(doomed);
    const holders = untilGone ? doomed : doomed.filter(holdsSomething);
    const ids = new Set(holders.map((service) => service.ID));
    if (holders.length > 0) await this.gone(target, graceOf(holders), (id) => ids.has(id));
  }

  /** Until there are no containers of these Swarm services left. */
  private async gone(
    target: EnvironmentRef,
    grace: number,
    of: (serviceId: string) => boolean,
  ): Promise<void> {
    await until(grace + GONE_MS, 'its containers do not end', async () => {
      const filters = labelFilter(this.objects.labelsOf(target));
      const left = await callEngine(() => this.docker.listContainers({ all: true, filters }));
      return !left.some(({ Labels: labels }) => SERVICE_ID in labels && of(labels[SERVICE_ID]));
    });
  }

  async network(labels: Record<string, string>): Promise<void> {
    await until(GONE_MS, 'its network is still in use', async () => {
      const filters = labelFilter(labels);
      const networks = await callEngine(() => this.docker.listNetworks({ filters }));
      for (const { Id: id } of networks) await this.removeNetwork(id);
      return networks.length === 0;
    });
  }

  async volumes(target: EnvironmentRef): Promise<void> {
    const filters = labelFilter(environmentLabels(this.objects.installation, target));
    await until(GONE_MS, 'a volume is still in use', async () => {
      const { Volumes: volumes } = await callEngine(() => this.docker.listVolumes({ filters }));
      for (const { Name: name } of volumes ?? []) await removed(() => this.docker.getVolume(name).remove());
      return (volumes ?? []).length === 0;
    });
  }

  async volume(target: EnvironmentRef, volume: string): Promise<void> {
    const found = this.docker.getVolume(volumeName(this.objects.installation, target, volume));
    await until(GONE_MS, `the volume "${volume}" is still in use`, async () => {
      await removed(() => found.remove());
      return (await orUndefined(() => found.inspect())) === undefined;
    });
  }

  async owned(): Promise<OwnedObject[]> {
    const labels = { [LABEL.installation]: this.objects.installation };
    const [services, networks] = await Promise.all([
      this.objects.services(labels),
      callEngine(() => this.docker.listNetworks({ filters: labelFilter(labels) })),
    ]);
    return [
      ...services.map(({ Spec: spec }) => toOwned('service', spec.Name, spec.Labels)),
      // The way in has one too, which belongs to no environment.
      ...networks
        .filter(({ Labels: own }) => own?.[LABEL.project] !== undefined)
        .map(({ Name: name, Labels: own }) => toOwned('network', name, own ?? {})),
    ];
  }

  async discard({ kind, name, project, environment }: OwnedObject): Promise<void> {
    const labels = this.objects.labelsOf({ project, environment });
    if (kind === 'service') {
      const services = await this.objects.servicesIn({ project, environment });
      await this.objects.removeServices(services.filter((service) => service.Spec.Name === name));
      return;
    }
    const networks = await callEngine(() => this.docker.listNetworks({ filters: labelFilter(labels) }));
    for (const network of networks) {
      if (network.Name === name) await this.removeNetwork(network.Id);
    }
  }

  /** The way in may be in it, and must not keep it. */
  private async removeNetwork(id: string): Promise<void> {
    const network = this.docker.getNetwork(id);
    const found = await orUndefined(() => network.inspect() as Promise<Docker.NetworkInspectInfo>);
    const wayIn = wayInName(this.objects.installation);
    const inIt = Object.values(found?.Containers ?? {}).some(({ Name: name }) => name === wayIn);
    if (inIt) await removed(() => network.disconnect({ Container: wayIn, Force: true }));
    await removed(() => network.remove());
  }
}

/** The longest time that one of them has to end, in milliseconds. */
function graceOf(services: readonly SwarmService[]): number {
  const graces = services.map(({ Spec: spec }) => spec.TaskTemplate.ContainerSpec.StopGracePeriod ?? 0);
  return Math.max(0, ...graces) / 1e6;
}

/** Whether a container of it, as long as it is there, can be in another's way. */
function holdsSomething({ Spec: spec }: SwarmService): boolean {
  const { ContainerSpec: container, Resources: resources } = spec.TaskTemplate;
  return (
    (container.Mounts ?? []).some(({ Type: type }) => type === 'volume') ||
    (spec.EndpointSpec?.Ports ?? []).some(({ PublishedPort: port }) => port !== undefined) ||
    Object.values(resources?.Reservations ?? {}).some((share) => share > 0) ||
    spec.UpdateConfig?.Order === 'stop-first'
  );
}

function toOwned(kind: OwnedObject['kind'], name: string, labels: Record<string, string>): OwnedObject {
  return {
    kind,
    name,
    project: labels[LABEL.project] ?? '',
    environment: labels[LABEL.environment] ?? '',
    service: labels[LABEL.service] ?? null,
  };
}

/**
 * Removes one thing. What is in use yet is tried again by the caller; anything else is an error, but that it is gone: of a
 * network that the node gives up at this moment, the engine says so with a 500.
 */
async function removed(call: () => Promise<unknown>): Promise<void> {
  try {
    await orUndefined(call);
  } catch (error) {
    const message = engineMessage(error);
    const inUse = hasStatus(error, 409) || /in use|active endpoints/i.test(message);
    if (!inUse && !/network \S+ not found/i.test(message)) throw error;
  }
}

async function until(milliseconds: number, otherwise: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await done())) {
    if (performance.now() > deadline)
      throw new BerthError('CONFLICT', `The environment was not removed in full: ${otherwise}. Try again.`);
    await delay(POLL_MS);
  }
}
