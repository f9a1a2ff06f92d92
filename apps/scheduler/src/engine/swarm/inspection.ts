import type {
  EngineInstance,
  EngineService,
  EnvironmentRef,
  InspectedFacts,
  Rollout,
} from '../container-engine.js';
import { callEngine, orUndefined } from './docker-client.js';
import type { SwarmService, Task } from './engine-api.js';
import { Generations } from './generations.js';
import { LABEL } from './labels.js';
import { networkName } from './names.js';
import type { Swarm } from './swarm.js';
import type { SwarmObjects } from './swarm-objects.js';
import { isStopped } from './verdict.js';

/** Ended tasks that are shown beside the living ones, newest first: what went wrong lately. */
const ENDED_SHOWN = 3;
/** What the engine gives a container that asks for nothing (moby, oci/caps/defaults.go). */
const DEFAULT_CAPABILITIES = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
).split(' ');

export async function listEngineServices(
  objects: SwarmObjects,
  target: EnvironmentRef,
): Promise<EngineService[]> {
  const { services, tasks } = await objects.state(target);
  const byName = new Map<string, SwarmService[]>();
  for (const service of services) {
    const name = service.Spec.Labels[LABEL.service];
    byName.set(name, [...(byName.get(name) ?? []), service]);
  }
  return [...byName.values()]
    .map((generations) => describeService(generations, tasks))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** One service with all its Swarm services: while one replaces another, there are two. The youngest that runs speaks for it. */
function describeService(generations: readonly SwarmService[], tasks: readonly Task[]): EngineService {
  const byVersion = [...generations].sort((a, b) => b.Version.Index - a.Version.Index);
  const current = byVersion.find(({ Spec: { Mode: mode } }) => mode.Replicated.Replicas > 0) ?? byVersion[0];
  const { Labels: labels, TaskTemplate: template, Mode: mode, EndpointSpec: endpoint } = current.Spec;
  return {
    name: labels[LABEL.service],
    image: template.ContainerSpec.Image,
    release: labels[LABEL.release] ?? null,
    desired: mode.Replicated.Replicas,
    ports: (endpoint?.Ports ?? []).map(({ TargetPort, PublishedPort, Protocol }) => ({
      target: TargetPort,
      published: PublishedPort || null,
      protocol: Protocol,
    })),
    instances: shownTasks(tasks, generations).map(([task, service]) => describeTask(task, service)),
  };
}

function shownTasks(tasks: readonly Task[], generations: readonly SwarmService[]): [Task, SwarmService][] {
  const byId = new Map(generations.map((service) => [service.ID, service]));
  const own = tasks
    .flatMap((task): [Task, SwarmService][] => {
      const service = byId.get(task.ServiceID);
      return service ? [[task, service]] : [];
    })
    .sort(([a], [b]) => b.CreatedAt.localeCompare(a.CreatedAt));
  return [
    ...own.filter(([task]) => !isStopped(task)),
    ...own
      .filter(([task]) => task.Status.State === 'failed' || task.Status.State === 'rejected')
      .slice(0, ENDED_SHOWN),
  ];
}

function describeTask(task: Task, service: SwarmService): EngineInstance {
  const { Status: status, Spec: spec } = task;
  const labels = spec.ContainerSpec.Labels ?? {};
  const current = labels[LABEL.template] === service.Spec.Labels[LABEL.template];
  const { Test: test } = spec.ContainerSpec.Healthcheck ?? {};
  const checked = test !== undefined && test[0] !== 'NONE';
  const leaving = !isStopped(task) && task.DesiredState === 'shutdown';
  return {
    id: task.ID,
    service: service.Spec.Labels[LABEL.service],
    state: leaving ? 'stopping' : status.State,
    healthy: checked ? status.State === 'running' && !leaving : null,
    release: (current ? service.Spec.Labels[LABEL.release] : labels[LABEL.release]) ?? null,
    startedAt: status.State === 'running' ? new Date(status.Timestamp).toISOString() : null,
    message: status.Err || (isStopped(task) || status.State === 'pending' ? (status.Message ?? null) : null),
    ports: (status.PortStatus?.Ports ?? []).map(({ TargetPort, PublishedPort, Protocol }) => ({
      target: TargetPort,
      published: PublishedPort,
      protocol: Protocol,
    })),
  };
}

interface Container {
  Image: string;
  /** A user of null: not known. */
  Config: { User?: string | null; Image?: string };
  HostConfig: {
    Privileged?: boolean;
    CapAdd?: string[] | null;
    CapDrop?: string[] | null;
    Memory?: number;
    PidsLimit?: number | null;
  };
  Mounts?: { Type: string; Source?: string }[];
  NetworkSettings: { Networks?: Record<string, unknown> };
}

/** What the containers of a rollout really are, as the engine that runs them says. */
export async function inspectFacts(swarm: Swarm, rollout: Rollout): Promise<InspectedFacts> {
  const { docker, objects } = swarm;
  const wanted = await Generations.of(swarm, rollout);
  const { services, tasks } = await objects.state(rollout.target);
  // What ran before is about to go, and not part of the outcome.
  const own = new Set(
    services.filter(({ Spec: spec }) => wanted.has(spec.Name)).map((service) => service.ID),
  );
  const running = tasks.filter((task) => own.has(task.ServiceID) && task.Status.State === 'running');
  const info = await callEngine(() => docker.info() as Promise<{ Swarm?: { NodeID?: string } }>);
  const containers = await Promise.all(
    running.map(async (task): Promise<Container[]> => {
      if (task.NodeID !== info.Swarm?.NodeID) return [containerElsewhere(task)];
      const id = task.Status.ContainerStatus?.ContainerID ?? '';
      const found = await orUndefined(() => docker.getContainer(id).inspect());
      return found ? [found as unknown as Container] : [];
    }),
  );
  return factsOf(containers.flat(), networkName(objects.installation, rollout.target), rollout);
}

/**
 * Pure: a container on another node, whose engine we don't ask, as the swarm told that node to make it. The user of an image
 * is not known that way; `before` has judged it, and the image is that very one, by its digest.
 */
export function containerElsewhere({ Spec: spec, NetworksAttachments: attached = [] }: Task): Container {
  const { ContainerSpec: container, Resources: resources } = spec;
  return {
    Image: container.Image,
    Config: { User: container.User ?? null, Image: container.Image },
    HostConfig: {
      CapAdd: container.CapabilityAdd,
      CapDrop: container.CapabilityDrop,
      Memory: resources?.Limits?.MemoryBytes,
      PidsLimit: resources?.Limits?.Pids,
    },
    Mounts: container.Mounts,
    NetworkSettings: {
      Networks: Object.fromEntries(
        attached.map(({ Network: { ID: id, Spec: own } }) => [own?.Name ?? id, {}]),
      ),
    },
  };
}

/** Pure: the facts that `after` judges, of containers as inspected. */
export function factsOf(containers: Container[], ownNetwork: string, rollout: Rollout): InspectedFacts {
  const images = distinct(containers.map(({ Config: config }) => config.Image?.split('@')[1] ?? ''));
  const wanted = new Set(Object.values(rollout.spec.services).map(({ pinned }) => pinned.digest));
  const networks = distinct(containers.flatMap((c) => Object.keys(c.NetworkSettings.Networks ?? {})));
  return {
    instances: containers.length,
    privileged: containers.some((c) => c.HostConfig.Privileged === true),
    capabilities: distinct(containers.flatMap(({ HostConfig: host }) => effectiveCapabilities(host))),
    bindMounts: distinct(
      containers.flatMap((c) => (c.Mounts ?? []).flatMap((m) => (m.Type === 'bind' ? [m.Source ?? ''] : []))),
    ),
    networks,
    foreignNetworks: networks.filter((name) => name !== ownNetwork),
    unlimitedMemory: containers.some((c) => !c.HostConfig.Memory),
    unlimitedPids: containers.some((c) => !c.HostConfig.PidsLimit || c.HostConfig.PidsLimit < 0),
    users: distinct(
      containers.flatMap(({ Config: { User: user } }) => (user === null ? [] : user || 'root')),
    ),
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
