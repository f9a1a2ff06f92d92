import { isDeepStrictEqual } from 'node:util';
import type Docker from 'dockerode';
import type { EnvironmentRef } from '../container-engine.js';
import { callEngine, engineMessage, hasStatus, orUndefined } from './docker-client.js';
import type { SwarmService, SwarmServiceSpec, Task } from './engine-api.js';
import { environmentLabels, LABEL, labelFilter } from './labels.js';
import { networkName, servicePrefix } from './names.js';

const MAX_TRIES = 20;

export interface RegistryCredentials {
  username: string;
  password: string;
  serveraddress: string;
}

export interface EnvironmentState {
  services: SwarmService[];
  tasks: Task[];
}

/** Services, tasks and networks of this installation in the swarm; nothing else is read or written. */
export class SwarmObjects {
  constructor(
    private readonly docker: Docker,
    readonly installation: string,
    private readonly credentials: RegistryCredentials | null,
  ) {}

  /** All that the swarm knows of an environment, at this moment. */
  async state(target: EnvironmentRef): Promise<EnvironmentState> {
    const services = await this.servicesIn(target);
    if (services.length === 0) return { services, tasks: [] };
    const filters = { service: services.map((service) => service.ID) };
    const tasks = await callEngine(() => this.docker.listTasks({ filters }) as Promise<Task[]>);
    return { services, tasks };
  }

  labelsOf(target: EnvironmentRef): Record<string, string> {
    return environmentLabels(this.installation, target);
  }

  /** Of an environment. By the beginning of their names as well: the engine looks at all services for a label. */
  servicesIn(target: EnvironmentRef): Promise<SwarmService[]> {
    const name = [servicePrefix(this.installation, target)];
    return this.list({ name, ...labelFilter(environmentLabels(this.installation, target)) });
  }

  services(labels: Record<string, string>): Promise<SwarmService[]> {
    return this.list(labelFilter(labels));
  }

  private list(filters: Record<string, string[]>): Promise<SwarmService[]> {
    return callEngine(() => this.docker.listServices({ filters }) as unknown as Promise<SwarmService[]>);
  }

  /**
   * Creates a service, or makes it what it should be: `present`, as it was a moment ago. Safe to repeat, and beside another
   * that does the same.
   */
  async apply(wanted: SwarmServiceSpec, present: SwarmService | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (present) await this.update(present, wanted);
        else await callEngine(() => this.docker.createService(this.auth(), asOptions(wanted)));
        return;
      } catch (error) {
        if (!isRace(error) || attempt === MAX_TRIES) throw error;
      }
      present = await this.find(wanted.Name);
    }
  }

  /** Removes services, and says which containers they may leave for a moment. */
  async removeServices(services: readonly SwarmService[]): Promise<void> {
    for (const service of services) {
      if (service.Spec.Labels[LABEL.installation] !== this.installation) continue;
      await orUndefined(() => this.docker.getService(service.ID).remove());
    }
  }

  /** The id of the environment's own network, which is made when it is not there. */
  async ensureNetwork(target: EnvironmentRef): Promise<string> {
    const name = networkName(this.installation, target);
    for (let attempt = 1; ; attempt += 1) {
      const present = await this.findNetwork(name);
      if (present) return present;
      try {
        const network = await callEngine(() =>
          this.docker.createNetwork({
            Name: name,
            Driver: 'overlay',
            Attachable: true,
            CheckDuplicate: true,
            Labels: environmentLabels(this.installation, target),
          }),
        );
        return network.id;
      } catch (error) {
        if (!isRace(error) || attempt === MAX_TRIES) throw error;
      }
    }
  }

  /** Ids of this installation's networks, by name. */
  async networks(): Promise<Map<string, string>> {
    const filters = labelFilter({ [LABEL.installation]: this.installation });
    const found = await callEngine(() => this.docker.listNetworks({ filters }));
    return new Map(found.map(({ Name: name, Id: id }) => [name, id]));
  }

  private async findNetwork(name: string): Promise<string | undefined> {
    const found = await callEngine(() => this.docker.listNetworks({ filters: { name: [name] } }));
    const network = found.find((candidate) => candidate.Name === name);
    if (network && network.Labels?.[LABEL.installation] !== this.installation)
      throw new Error(`the network ${name} is there already, and not ours`);
    return network?.Id;
  }

  private async find(name: string): Promise<SwarmService | undefined> {
    const service = await orUndefined(() => this.docker.getService(name).inspect() as Promise<SwarmService>);
    // The engine finds by prefix of an id too.
    if (!service || service.Spec.Name !== name) return undefined;
    if (service.Spec.Labels[LABEL.installation] === this.installation) return service;
    throw new Error(`the service ${name} is there already, and not ours`);
  }

  /** Its containers are made from the same, so they stay: another label of theirs would start them anew. */
  private async update(present: SwarmService, wanted: SwarmServiceSpec): Promise<void> {
    const { TaskTemplate, EndpointSpec } = present.Spec;
    const spec = { ...wanted, TaskTemplate, EndpointSpec };
    if (isDeepStrictEqual([spec.Labels, spec.Mode], [present.Spec.Labels, present.Spec.Mode])) return;
    await this.change(present, spec);
  }

  /** To any number of instances, and to nothing else. */
  async scale(present: SwarmService, replicas: number): Promise<void> {
    try {
      await this.change(present, { ...present.Spec, Mode: { Replicated: { Replicas: replicas } } });
    } catch (error) {
      // Another was faster: the next look shows how it is.
      if (!isRace(error)) throw error;
    }
  }

  private async change(present: SwarmService, spec: SwarmServiceSpec): Promise<void> {
    const version = present.Version.Index;
    const service: UpdatableService = this.docker.getService(present.ID);
    await callEngine(() => service.update(this.auth(), { version, ...spec }));
  }

  private auth(): object {
    return this.credentials ?? {};
  }
}

/** With credentials first: the client's types leave that form out. */
interface UpdatableService {
  update(auth: object, options: object): Promise<unknown>;
}

/** Its client types the spec more loosely than we do. */
function asOptions(spec: SwarmServiceSpec): Docker.ServiceSpec {
  return spec as unknown as Docker.ServiceSpec;
}

/** Another was faster: what it did is looked at anew. */
function isRace(error: unknown): boolean {
  return (
    hasStatus(error, 409) ||
    hasStatus(error, 404) ||
    /update out of sequence|already exists|name conflicts/i.test(engineMessage(error))
  );
}
