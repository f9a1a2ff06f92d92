import { runsAs } from '@berth/contracts';
import type { InspectedFacts, Inspection, InstanceAsRun, Rollout } from '../container-engine.js';
import { callEngine, orUndefined } from './docker-client.js';
import type { SwarmService, Task } from './engine-api.js';
import { Generations } from './generations.js';
import { LABEL } from './labels.js';
import { networkName } from './names.js';
import { hasContainer } from './living.js';
import type { Swarm } from './swarm.js';

/** What the engine gives a container that asks for nothing (moby, oci/caps/defaults.go). */
const DEFAULT_CAPABILITIES = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
).split(' ');

/** As the engine answers it (`GET /containers/{id}/json`). */
interface Container {
  /** A user of null: not known. */
  Config: { User?: string | null; Image?: string };
  HostConfig: {
    Privileged?: boolean;
    ReadonlyRootfs?: boolean;
    CapAdd?: string[] | null;
    CapDrop?: string[] | null;
    Devices?: { PathOnHost: string }[] | null;
    NetworkMode?: string;
    PidMode?: string;
    IpcMode?: string;
    NanoCpus?: number;
    Memory?: number;
    PidsLimit?: number | null;
  };
  Mounts?: { Type: string; Name?: string; Source?: string }[];
  NetworkSettings: { Networks?: Record<string, unknown> };
}

/** The container of an instance, and of which service it is. */
export interface Found {
  id: string;
  service: string;
  container: Container;
}

/** What the containers of a rollout really are, as the engine that runs them says. */
export async function inspectRollout(swarm: Swarm, rollout: Rollout): Promise<Inspection> {
  const wanted = await Generations.of(swarm, rollout);
  const { services, tasks } = await swarm.objects.state(rollout.target);
  // What ran before is about to go, and not part of the outcome.
  const own = services.filter(({ Spec: spec }) => wanted.has(spec.Name));
  const ids = new Set(own.map(({ ID: id }) => id));
  const running = tasks.filter((task) => ids.has(task.ServiceID) && task.Status.State === 'running');
  return inspectTasks(swarm, rollout, services, running);
}

/** The same of some instances of an environment, whatever was made of them since the rollout. */
export async function inspectInstances(
  swarm: Swarm,
  rollout: Rollout,
  instances: ReadonlySet<string>,
): Promise<Inspection> {
  const { services, tasks } = await swarm.objects.state(rollout.target);
  const living = tasks.filter((task) => instances.has(task.ID) && hasContainer(task));
  return inspectTasks(swarm, rollout, services, living);
}

async function inspectTasks(
  { docker, objects }: Swarm,
  rollout: Rollout,
  services: readonly SwarmService[],
  tasks: readonly Task[],
): Promise<Inspection> {
  const names = new Map(services.map(({ ID: id, Spec: spec }) => [id, spec.Labels[LABEL.service]]));
  const info = await callEngine(() => docker.info() as Promise<{ Swarm?: { NodeID?: string } }>);
  const found = await Promise.all(
    tasks.map(async (task): Promise<Found[]> => {
      const known = { id: task.ID, service: names.get(task.ServiceID) ?? '' };
      if (task.NodeID !== info.Swarm?.NodeID) return [{ ...known, container: containerElsewhere(task) }];
      const id = task.Status.ContainerStatus?.ContainerID ?? '';
      const container = await orUndefined(() => docker.getContainer(id).inspect());
      return container ? [{ ...known, container: container as unknown as Container }] : [];
    }),
  );
  return inspectionOf(found.flat(), networkName(objects.installation, rollout.target), rollout);
}

/**
 * Pure: a container on another node, whose engine we don't ask, as the swarm told that node to make it. The user of an image
 * is not known that way; `before` has judged it, and the image is that very one, by its digest.
 */
export function containerElsewhere({ Spec: spec, NetworksAttachments: attached = [] }: Task): Container {
  const { ContainerSpec: container, Resources: resources } = spec;
  return {
    Config: { User: container.User ?? null, Image: container.Image },
    HostConfig: {
      ReadonlyRootfs: container.ReadOnly,
      CapAdd: container.CapabilityAdd,
      CapDrop: container.CapabilityDrop,
      NanoCpus: resources?.Limits?.NanoCPUs,
      Memory: resources?.Limits?.MemoryBytes,
      PidsLimit: resources?.Limits?.Pids,
    },
    Mounts: container.Mounts?.map(({ Type: type, Source: source }) => ({
      ...{ Type: type, Source: source },
      Name: type === 'volume' ? source : undefined,
    })),
    NetworkSettings: {
      Networks: Object.fromEntries(
        attached.map(({ Network: { ID: id, Spec: own } }) => [own?.Name ?? id, {}]),
      ),
    },
  };
}

/** Pure: the facts that the `after` hooks judge, of containers as inspected. */
export function inspectionOf(found: readonly Found[], ownNetwork: string, rollout: Rollout): Inspection {
  const kinds = new Map<string, { service: string; facts: InstanceAsRun }>();
  const digests = new Map(
    Object.entries(rollout.spec.services).map(([service, { pinned }]) => [service, pinned.digest]),
  );
  for (const { service, container } of found) {
    const facts = instanceAsRun(container, ownNetwork, digests.get(service));
    const kind = JSON.stringify([service, facts]);
    const known = kinds.get(kind);
    if (known) known.facts.instances += 1;
    else kinds.set(kind, { service, facts });
  }
  const instances = [...kinds.values()];
  const wanted = new Set(digests.values());
  return {
    looked: found.map(({ id }) => id),
    all: together(
      instances.map(({ facts }) => facts),
      wanted,
    ),
    instances,
  };
}

function instanceAsRun(
  { Config: config, HostConfig: host, Mounts: mounts = [], NetworkSettings: settings }: Container,
  ownNetwork: string,
  wanted: string | undefined,
): InstanceAsRun {
  const digest = config.Image?.split('@')[1] ?? '';
  const networks = distinct(Object.keys(settings.Networks ?? {}));
  const shared = { network: host.NetworkMode, pid: host.PidMode, ipc: host.IpcMode };
  return {
    instances: 1,
    digest,
    unexpectedImage: digest !== wanted,
    user: config.User === null ? undefined : runsAs(config.User ?? ''),
    readOnly: host.ReadonlyRootfs === true,
    privileged: host.Privileged === true,
    capabilities: distinct(effectiveCapabilities(host)),
    devices: distinct((host.Devices ?? []).map(({ PathOnHost: path }) => path)),
    hostNamespaces: Object.entries(shared).flatMap(([name, mode]) => (mode === 'host' ? [name] : [])),
    bindMounts: distinct(
      mounts.flatMap(({ Type: type, Source: source }) => (type === 'bind' ? [source ?? ''] : [])),
    ),
    volumes: distinct(
      mounts.flatMap(({ Type: type, Name: name }) => (type === 'volume' ? [name ?? ''] : [])),
    ),
    networks,
    foreignNetworks: networks.filter((name) => name !== ownNetwork),
    cpuMillis: Math.ceil((host.NanoCpus ?? 0) / 1e6),
    memoryBytes: host.Memory ?? 0,
    pids: Math.max(0, host.PidsLimit ?? 0),
  };
}

/** What `deployment.create` judges of all of them. */
function together(kinds: readonly InstanceAsRun[], wanted: ReadonlySet<string>): InspectedFacts {
  const all = (read: (kind: InstanceAsRun) => readonly string[]): string[] => distinct(kinds.flatMap(read));
  const images = all(({ digest }) => [digest]);
  return {
    instances: kinds.reduce((sum, { instances }) => sum + instances, 0),
    privileged: kinds.some(({ privileged }) => privileged),
    capabilities: all(({ capabilities }) => capabilities),
    bindMounts: all(({ bindMounts }) => bindMounts),
    networks: all(({ networks }) => networks),
    foreignNetworks: all(({ foreignNetworks }) => foreignNetworks),
    unlimitedMemory: kinds.some(({ memoryBytes }) => memoryBytes === 0),
    unlimitedPids: kinds.some(({ pids }) => pids === 0),
    users: all(({ user }) => (user === undefined ? [] : [user])),
    images,
    unexpectedImages: images.filter((digest) => !wanted.has(digest)),
  };
}

function effectiveCapabilities({
  CapAdd: add,
  CapDrop: drop,
  Privileged: all,
}: Container['HostConfig']): string[] {
  if (all) return ['ALL'];
  const plain = (names: string[] | null | undefined): string[] =>
    (names ?? []).map((name) => name.replace(/^CAP_/, ''));
  const added = plain(add);
  const dropped = new Set(plain(drop));
  if (added.includes('ALL')) return ['ALL'];
  return dropped.has('ALL')
    ? added
    : [...DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name)), ...added];
}

function distinct(values: string[]): string[] {
  return [...new Set(values)].sort();
}
