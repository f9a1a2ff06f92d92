import type { EngineInstance, EngineService, EnvironmentRef } from '../container-engine.js';
import type { SwarmService, Task } from './engine-api.js';
import { LABEL } from './labels.js';
import type { SwarmObjects } from './swarm-objects.js';
import { isStopped } from './verdict.js';

/** Ended tasks that are shown beside the living ones, newest first: what went wrong lately. */
const ENDED_SHOWN = 3;

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
