import type Docker from 'dockerode';
import type { EnvironmentRef } from '../container-engine.js';
import type { GuestPlaces } from '../guest-places.js';
import { callEngine, orUndefined } from './docker-client.js';
import { LABEL, labelFilter } from './labels.js';
import { wayInName } from './names.js';

/**
 * How long it counts that a network was seen. Much shorter than the engine takes to end the containers of one, remove it,
 * and start others in another with its subnet.
 */
const SEEN_MS = 250;

interface KnownNetwork {
  id: string;
  subnet: Subnet;
  place: EnvironmentRef;
  seenAt: number;
  /** The way in's address in it, as it was seen. */
  wayIn: string | null;
  looking: Promise<boolean> | null;
}

/** The first address, and how many there are. */
interface Subnet {
  first: number;
  size: number;
}

/**
 * By the subnets of the networks, which the swarm gives out without overlaps. A network keeps its subnet and its labels for
 * as long as it has its id, so what is known of one is right while the engine still has it: what has been removed may have
 * left its subnet to another environment.
 */
export class SwarmGuestPlaces implements GuestPlaces {
  private known: KnownNetwork[] = [];
  private looking: Promise<void> | null = null;

  constructor(
    private readonly docker: Docker,
    private readonly installation: string,
  ) {}

  async of(address: string): Promise<EnvironmentRef | null> {
    const number = addressNumber(address);
    if (number === null) return null;
    let network = this.networkOf(number);
    if (!network || !(await this.isThere(network))) {
      await (this.looking ??= this.look().finally(() => (this.looking = null)));
      network = this.networkOf(number);
      if (!network || !(await this.isThere(network))) return null;
    }
    // The way in may be led to itself, by an address that was another's a moment ago: it is nobody's instance.
    return network.wayIn === address ? null : network.place;
  }

  private networkOf(address: number): KnownNetwork | undefined {
    return this.known.find(({ subnet: { first, size } }) => address >= first && address - first < size);
  }

  private async isThere(network: KnownNetwork): Promise<boolean> {
    if (performance.now() - network.seenAt < SEEN_MS) return true;
    return (network.looking ??= this.lookAt(network).finally(() => (network.looking = null)));
  }

  private async lookAt(network: KnownNetwork): Promise<boolean> {
    const begun = performance.now();
    const found = await orUndefined(
      () => this.docker.getNetwork(network.id).inspect() as Promise<Docker.NetworkInspectInfo>,
    );
    if (!found) return false;
    const name = wayInName(this.installation);
    const wayIn = Object.values(found.Containers ?? {}).find((container) => container.Name === name);
    network.wayIn = wayIn?.IPv4Address.split('/')[0] ?? null;
    network.seenAt = begun;
    return true;
  }

  private async look(): Promise<void> {
    const filters = labelFilter({ [LABEL.installation]: this.installation });
    const networks = await callEngine(() => this.docker.listNetworks({ filters }));
    this.known = networks.flatMap(({ Id: id, Labels: labels, IPAM: ipam }) => {
      const project = labels?.[LABEL.project];
      const environment = labels?.[LABEL.environment];
      const subnet = readSubnet(ipam?.Config?.[0]?.Subnet ?? '');
      // The way in has a network of its own, which is no environment's.
      if (!project || !environment || !subnet) return [];
      const unseen = { seenAt: -Infinity, wayIn: null, looking: null };
      return [{ id, subnet, place: { project, environment }, ...unseen }];
    });
  }
}

/** `10.0.3.0/24`. Null for what is no IPv4 subnet. */
export function readSubnet(text: string): Subnet | null {
  const [address, prefix, ...rest] = text.split('/');
  const number = addressNumber(address);
  if (number === null || rest.length > 0 || !/^\d{1,2}$/.test(prefix ?? '') || Number(prefix) > 32)
    return null;
  const size = 2 ** (32 - Number(prefix));
  return { first: number - (number % size), size };
}

/** Of an IPv4 address in its one plain form; null for anything else. */
export function addressNumber(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}
