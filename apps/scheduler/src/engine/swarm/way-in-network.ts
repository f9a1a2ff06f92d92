import type Docker from 'dockerode';
import { callEngine, orUndefined } from './docker-client.js';
import { LABEL } from './labels.js';

type Subnet = NonNullable<NonNullable<Docker.NetworkInspectInfo['IPAM']>['Config']>[number];

/** On the network that was made with a subnet of its own: which. */
const SUBNET_LABEL = 'berth.subnet';

/**
 * The bridge network of the way in, with the address that its container is to have. The engine gives fixed addresses in
 * subnets that were named only: so it picks one that is free, and the network is made again with that. One that was left
 * halfway says so by the label that it lacks.
 */
export class WayInNetwork {
  constructor(
    private readonly docker: Docker,
    private readonly name: string,
    private readonly installation: string,
  ) {}

  async ensure(): Promise<{ id: string; address: string }> {
    let network = await orUndefined(() => this.inspect(this.name));
    if (network && network.Labels?.[LABEL.installation] !== this.installation)
      throw new Error(`the network ${this.name} is there already, and not ours`);
    if (!network?.Labels?.[SUBNET_LABEL]) {
      const picked = network ?? (await this.make());
      await orUndefined(() => this.docker.getNetwork(picked.Id).remove());
      network = await this.make(picked.IPAM?.Config?.[0]);
    }
    return { id: network.Id, address: addressIn(network) };
  }

  private async make(subnet?: Subnet): Promise<Docker.NetworkInspectInfo> {
    const labels = { [LABEL.installation]: this.installation };
    const basis = { Name: this.name, Driver: 'bridge', CheckDuplicate: true };
    const made = await callEngine(() =>
      this.docker.createNetwork(
        subnet?.Subnet
          ? {
              ...basis,
              Labels: { ...labels, [SUBNET_LABEL]: subnet.Subnet },
              IPAM: { Driver: 'default', Config: [subnet] },
            }
          : { ...basis, Labels: labels },
      ),
    );
    return this.inspect(made.id);
  }

  private inspect(name: string): Promise<Docker.NetworkInspectInfo> {
    return callEngine(() => this.docker.getNetwork(name).inspect() as Promise<Docker.NetworkInspectInfo>);
  }
}

/** The address after the gateway's, which is the first of the subnet. */
function addressIn({ IPAM: ipam }: Docker.NetworkInspectInfo): string {
  const parts = (ipam?.Config?.[0]?.Gateway ?? '').split('.');
  if (parts.length !== 4) throw new Error('the network of the way in has no IPv4 gateway');
  return [...parts.slice(0, 3), Number(parts[3]) + 1].join('.');
}
