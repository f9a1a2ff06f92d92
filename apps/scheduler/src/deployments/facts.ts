import type { z } from 'zod';
import { registryOf, runsAs, type actions, type Amounts } from '@berth/contracts';
import type { ComposeSpec, ReleasedImage, RunService, ServiceSpec } from '../compose/index.js';

export type DeploymentFacts = z.input<typeof actions.deploymentCreate.context>;

type InstanceSpec = z.input<typeof actions.instanceRun.context>;

/** Where no fixed port is published: above all ports there are. */
const NO_PORT = 65_536;

/** What policy judges before anything is done. */
export function deploymentFacts(
  environment: string,
  release: string,
  spec: Pick<ComposeSpec, 'services'>,
  images: Readonly<Record<string, Pick<ReleasedImage, 'repository' | 'user'>>>,
): DeploymentFacts {
  const services = Object.entries(spec.services);
  const all = services.map(([, service]) => service);
  const fixed = all.flatMap(({ ports }) => ports.flatMap(({ published }) => published ?? []));
  const { cpu, memory, instances } = amountsOf(spec);
  return {
    environment,
    release,
    services: services.map(([name]) => name).sort(),
    images: distinct(all.map(({ image }) => image)),
    registries: distinct(Object.values(images).map(({ repository }) => registryOf(repository))),
    tags: distinct(all.flatMap(({ image }) => tagOf(image) ?? [])),
    users: distinct(services.map(([name, { user }]) => runsAs(user ?? images[name].user))),
    capAdd: distinct(all.flatMap(({ capAdd }) => capAdd)),
    publishedPorts: [
      ...new Set(all.flatMap(({ ports }) => ports.map(({ published }) => published ?? 0))),
    ].sort((a, b) => a - b),
    minPublishedPort: Math.min(NO_PORT, ...fixed),
    hosts: distinct(all.flatMap(({ hosts }) => hosts)),
    volumes: distinct(all.flatMap(({ volumes }) => volumes.map(({ volume }) => volume))),
    allReadOnly: all.every(({ readOnly }) => readOnly),
    instances,
    cpuMillis: Math.round(cpu * 1_000),
    memoryBytes: memory,
    maxMemoryBytes: Math.max(0, ...all.map(({ limits }) => limits.memoryBytes)),
  };
}

/** What policy judges of each service before a container of it starts. */
export function instanceFacts(
  place: { environment: string; release: string },
  service: string,
  spec: RunService,
  { user }: Pick<ReleasedImage, 'user'>,
): InstanceSpec {
  const { pinned, limits } = spec;
  return {
    ...{ ...place, service, image: spec.image, tag: tagOf(spec.image) ?? '' },
    ...{ registry: registryOf(pinned.repository), repository: pinned.repository, digest: pinned.digest },
    user: runsAs(spec.user ?? user),
    readOnly: spec.readOnly,
    capAdd: distinct(spec.capAdd),
    publishedPorts: [...new Set(spec.ports.map(({ published }) => published ?? 0))].sort((a, b) => a - b),
    hosts: distinct(spec.hosts),
    volumes: distinct(spec.volumes.map(({ volume }) => volume)),
    secrets: distinct(spec.secrets.map(({ secret }) => secret)),
    uses: distinct(spec.uses),
    replicas: spec.replicas,
    cpuMillis: Math.ceil(limits.nanoCpus / 1e6),
    memoryBytes: limits.memoryBytes,
    pids: limits.pids,
  };
}

/** Facts of a deployment that was not looked into: for whoever may not even know of the environment. */
export function noFacts(environment: string): DeploymentFacts {
  return deploymentFacts(environment, '', { services: {} }, {});
}

/** What quota must cover: the limits of all instances together. */
export function amountsOf(spec: Pick<ComposeSpec, 'services'>): Amounts {
  const amounts = { cpuMillis: 0, memory: 0, instances: 0 };
  for (const { limits, replicas } of Object.values(spec.services)) {
    amounts.cpuMillis += Math.ceil(limits.nanoCpus / 1e6) * replicas;
    amounts.memory += limits.memoryBytes * replicas;
    amounts.instances += replicas;
  }
  return { cpu: amounts.cpuMillis / 1_000, memory: amounts.memory, instances: amounts.instances };
}

/** The tag of a reference, `latest` where none is written; null of one by digest. */
export function tagOf(image: string): string | null {
  if (image.includes('@')) return null;
  const tag = /:([\w][\w.-]*)$/.exec(image)?.[1];
  // A colon before a slash is a port.
  return tag ?? 'latest';
}

/** Fixed ports of the host that a release holds, in one order: whoever locks them does so in the same. */
export function fixedPorts(
  services: Readonly<Record<string, Pick<ServiceSpec, 'ports'>>>,
): { port: number; protocol: 'tcp' | 'udp' }[] {
  return Object.values(services)
    .flatMap(({ ports }) =>
      ports.flatMap(({ published, protocol }) => (published === null ? [] : [{ port: published, protocol }])),
    )
    .sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
}

export function distinct(values: string[]): string[] {
  return [...new Set(values)].sort();
}
