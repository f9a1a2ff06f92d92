import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import {
  METADATA_HOST,
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

  constructor(
    private readonly docker: Docker,
    private readonly objects: SwarmObjects,
    private readonly options: WayInOptions,
  ) {
    this.name = wayInName(options.installation);
    const made = createHash('sha256')
      .update(JSON.stringify([options, METADATA_HOST]))
      .digest('hex');
    this.labels = { [LABEL.installation]: options.installation, [LABEL.template]: made };
  }

  async ensure(): Promise<string> {
    const present = await this.inspect();
    if (present && present.Config.Labels[LABEL.template] !== this.labels[LABEL.template])
      await orUndefined(() => this.docker.getContainer(present.Id).remove({ force: true }));
    else if (present?.State.Running) return present.NetworkSettings.Networks[this.name].IPAddress;
    const address = await this.ensureNetwork();
    if (!(await this.inspect())) await this.create(address);
    await callEngine(() => this.docker.getContainer(this.name).start());
    return address;
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

  /**
   * Its network, with the address that the container is to have. The engine gives fixed addresses in subnets that were
   * named only: so it picks one that is free, and the network is made again with that.
   */
  private async ensureNetwork(): Promise<string> {
    const network = this.docker.getNetwork(this.name);
    const present = await orUndefined(() => network.inspect() as Promise<Docker.NetworkInspectInfo>);
    if (present) return addressIn(present);
    const basis = { Name: this.name, Driver: 'bridge', CheckDuplicate: true, Labels: this.labels };
    const picked = await callEngine(() => this.docker.createNetwork(basis));
    const { IPAM: ipam } = (await callEngine(() => picked.inspect())) as Docker.NetworkInspectInfo;
    await callEngine(() => picked.remove());
    const made = await callEngine(() =>
      this.docker.createNetwork({ ...basis, IPAM: { Driver: 'default', Config: ipam?.Config } }),
    );
    return addressIn((await callEngine(() => made.inspect())) as Docker.NetworkInspectInfo);
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
          Env: [
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

/** The address after the gateway's, which is the first of the subnet. */
function addressIn({ IPAM: ipam }: Docker.NetworkInspectInfo): string {
  const parts = (ipam?.Config?.[0]?.Gateway ?? '').split('.');
  if (parts.length !== 4) throw new Error('the network of the way in has no IPv4 gateway');
  return [...parts.slice(0, 3), Number(parts[3]) + 1].join('.');
}
