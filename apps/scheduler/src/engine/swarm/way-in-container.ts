import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { BerthError } from '@berth/contracts';
import {
  METADATA_HOST,
  WAY_IN_ADDRESS,
  WAY_IN_FOLDER,
  WAY_IN_PORT,
  WAY_IN_TLS_PORT,
  type NetworkPlaces,
  type WayIn,
  type WayInOptions,
} from '../way-in.js';
import { callEngine, engineMessage, hasStatus, orUndefined } from './docker-client.js';
import { LABEL } from './labels.js';
import { networkName, wayInName } from './names.js';
import type { SwarmObjects } from './swarm-objects.js';
import { WayInNetwork } from './way-in-network.js';

const MEMORY_BYTES = 256 * 1024 ** 2;
const PIDS = 512;
/** How long another may take to put it into a network. */
const JOIN_MS = 5_000;
const JOIN_POLL_MS = 50;

/**
 * The way in as a plain container: unlike a Swarm service, it joins further networks while it runs. It is in a bridge
 * network of its own, where the host's port leads, and in those of the environments, where it asks, and answers nothing but
 * what an environment may know of itself.
 */
export class WayInContainer implements WayIn {
  private readonly name: string;
  private readonly labels: Record<string, string>;
  private readonly network: WayInNetwork;

  constructor(
    private readonly docker: Docker,
    private readonly objects: SwarmObjects,
    private readonly options: WayInOptions,
  ) {
    this.name = wayInName(options.installation);
    const made = createHash('sha256')
      .update(JSON.stringify([options, METADATA_HOST, WAY_IN_ADDRESS]))
      .digest('hex');
    this.labels = { [LABEL.installation]: options.installation, [LABEL.template]: made };
    this.network = new WayInNetwork(docker, this.name, options.installation);
  }

  async ensure(): Promise<string> {
    let present = await this.inspect();
    if (present && !this.isUsable(present)) present = await this.removed(present);
    if (!present?.State.Running) {
      await this.start(present);
      present = await this.inspect();
    }
    if (!present) throw new Error('the way in was removed while it started');
    return `${present.Id} ${present.State.StartedAt}`;
  }

  async join(places: () => Promise<NetworkPlaces>): Promise<void> {
    const present = await this.inspect();
    if (!present) return;
    const joined = new Set(Object.keys(present.NetworkSettings.Networks));
    const { wanted: targets, mayKeep } = await places();
    const wanted = new Set([this.name]);
    if (mayKeep !== 'any')
      for (const target of mayKeep) wanted.add(networkName(this.options.installation, target));
    for (const target of targets) {
      const name = networkName(this.options.installation, target);
      wanted.add(name);
      if (joined.has(name)) continue;
      const network = this.docker.getNetwork(await this.objects.ensureNetwork(target));
      await this.connect(network, name, present.Id);
    }
    if (mayKeep === 'any') return;
    for (const name of joined) {
      const network = this.docker.getNetwork(name);
      if (!wanted.has(name))
        await orUndefined(() => network.disconnect({ Container: present.Id, Force: true }));
    }
  }

  /** Resolves when it is in the network, whoever put it there. */
  private async connect(network: Docker.Network, name: string, id: string): Promise<void> {
    try {
      const endpoint = { Container: id, EndpointConfig: { Aliases: [METADATA_HOST] } };
      await callEngine(() => network.connect(endpoint));
    } catch (error) {
      // Another instance of the scheduler was faster, and may be at it yet.
      const underWay = /already (attached to|exists in) network/.test(engineMessage(error));
      if (!underWay || !(await this.isIn(name))) throw error;
    }
  }

  private async isIn(network: string): Promise<boolean> {
    for (let attempt = 0; attempt < JOIN_MS / JOIN_POLL_MS; attempt += 1) {
      const present = await this.inspect();
      const endpoint = new Map(Object.entries(present?.NetworkSettings.Networks ?? {})).get(network);
      if (endpoint?.IPAddress) return true;
      await delay(JOIN_POLL_MS);
    }
    return false;
  }

  private async inspect(): Promise<Docker.ContainerInspectInfo | undefined> {
    const found = await orUndefined(() => this.docker.getContainer(this.name).inspect());
    if (found && found.Config.Labels[LABEL.installation] !== this.options.installation)
      throw new Error(`the container ${this.name} is there already, and not ours`);
    return found;
  }

  /** Made as it is to be made now, and not taken out of its own network by hand. */
  private isUsable({ Config: config, NetworkSettings: settings }: Docker.ContainerInspectInfo): boolean {
    const own = new Map(Object.entries(settings.Networks)).get(this.name);
    return (
      config.Labels[LABEL.template] === this.labels[LABEL.template] &&
      own?.IPAMConfig?.IPv4Address !== undefined
    );
  }

  private async removed({ Id: id }: Docker.ContainerInspectInfo): Promise<undefined> {
    await orUndefined(() => this.docker.getContainer(id).remove({ force: true }));
    return undefined;
  }

  private async start(stopped: Docker.ContainerInspectInfo | undefined): Promise<void> {
    try {
      const network = await this.network.ensure();
      const attached = stopped && new Map(Object.entries(stopped.NetworkSettings.Networks)).get(this.name);
      // In one that was removed since, it would never start.
      if (stopped && attached?.NetworkID !== network.id) await this.removed(stopped);
      if (!(await this.inspect())) await this.create(network.address);
      await callEngine(() => this.docker.getContainer(this.name).start());
    } catch (error) {
      throw this.explained(error);
    }
  }

  /** What keeps it from starting, for a person. */
  private explained(error: unknown): unknown {
    if (error instanceof BerthError) return error;
    const { image, host, port } = this.options;
    const said = engineMessage(error);
    let detail = `the engine says: ${said}`;
    if (/port is already allocated|address already in use/.test(said))
      detail = `the port ${host}:${port} is taken. Free it, or choose another with BERTH_INGRESS_PORT.`;
    else if (/no such image/i.test(said))
      detail = `its image ${image} is not there. Start Berth again to have it made, or name another with BERTH_INGRESS_IMAGE.`;
    return new BerthError('WAY_IN_UNAVAILABLE', `The way in cannot start: ${detail}`, {}, { cause: error });
  }

  private async create(address: string): Promise<void> {
    const { image, folder } = this.options;
    const published = publishedPorts(this.options);
    // As whoever runs the scheduler, for both use the sockets in the folder; it has no capability at all.
    const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    try {
      await callEngine(() =>
        this.docker.createContainer({
          ...{ name: this.name, Image: image, Labels: this.labels, User: user },
          Cmd: ['caddy', 'run', '--config', `${WAY_IN_FOLDER}/boot.json`, '--resume'],
          // What it saves holds this by name: it starts from that with another address too.
          Env: [
            `${WAY_IN_ADDRESS}=${address}`,
            `HOME=${WAY_IN_FOLDER}`,
            `XDG_DATA_HOME=${WAY_IN_FOLDER}/data`,
            `XDG_CONFIG_HOME=${WAY_IN_FOLDER}/config`,
          ],
          ExposedPorts: Object.fromEntries(Object.keys(published).map((port) => [port, {}])),
          HostConfig: {
            NetworkMode: this.name,
            Binds: [`${folder}:${WAY_IN_FOLDER}`],
            PortBindings: published,
            RestartPolicy: { Name: 'unless-stopped' },
            CapDrop: ['ALL'],
            SecurityOpt: ['no-new-privileges'],
            ReadonlyRootfs: true,
            ...{ Memory: MEMORY_BYTES, PidsLimit: PIDS },
            LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
          },
          NetworkingConfig: {
            EndpointsConfig: { [this.name]: { IPAMConfig: { IPv4Address: address } } },
          },
        }),
      );
    } catch (error) {
      // Another instance of the scheduler was faster.
      if (!hasStatus(error, 409)) throw error;
    }
  }
}

/** Ports of the host that lead to it, by its own. */
function publishedPorts({ host, port, tlsPort }: WayInOptions): Record<string, object[]> {
  const at = (number: number): object[] => [{ HostIp: host, HostPort: String(number) }];
  return {
    [`${WAY_IN_PORT}/tcp`]: at(port),
    ...(tlsPort === undefined ? {} : { [`${WAY_IN_TLS_PORT}/tcp`]: at(tlsPort) }),
  };
}
