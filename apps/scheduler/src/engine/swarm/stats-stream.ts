import { setTimeout as delay } from 'node:timers/promises';
import type { InstanceStats } from '@berth/contracts';
import type { EnvironmentRef, StatsRequest } from '../container-engine.js';
import { orUndefined } from './docker-client.js';
import type { SwarmService, Task } from './engine-api.js';
import { LABEL } from './labels.js';
import type { Swarm } from './swarm.js';
import { type ContainerStats, type Limits, usageBetween } from './usage.js';

/** Two looks are needed for the first answer, which should not keep anybody waiting. */
const FIRST_MS = 1_000;
const PACE_MS = 2_000;
const NANO = 1e9;

interface Look {
  task: Task;
  service: SwarmService;
  /** Null where its engine cannot be asked. */
  stats: ContainerStats | null;
}

/** What the running instances of services use, at each look, until the signal is aborted. */
export async function* streamStats(
  swarm: Swarm,
  node: string | null,
  target: EnvironmentRef,
  request: StatsRequest,
): AsyncIterable<InstanceStats[]> {
  let before: Look[] = [];
  for (let pace = 0; ; pace = before.length > 0 && pace === 0 ? FIRST_MS : PACE_MS) {
    await delay(pace, undefined, { signal: request.signal }).catch(() => undefined);
    if (request.signal.aborted) return;
    const now = await lookAt(swarm, node, target, request);
    if (pace > 0 || now.length === 0) yield now.flatMap((look) => describe(before, look));
    before = now;
  }
}

async function lookAt(
  { docker, objects }: Swarm,
  node: string | null,
  target: EnvironmentRef,
  { services: names, admit }: StatsRequest,
): Promise<Look[]> {
  const { services, tasks } = await objects.state(target);
  const wanted = services.filter((service) => names === null || names.includes(nameOf(service)));
  for (const name of new Set(wanted.map(nameOf))) await admit(name);
  const byId = new Map(wanted.map((service) => [service.ID, service]));
  const running = tasks.flatMap((task) => {
    const service = byId.get(task.ServiceID);
    return service && task.Status.State === 'running' ? [{ task, service }] : [];
  });
  const looks = running.map(async ({ task, service }): Promise<Look[]> => {
    if (task.NodeID !== node) return [{ task, service, stats: null }];
    const container = docker.getContainer(task.Status.ContainerStatus?.ContainerID ?? '');
    const read = () => container.stats({ stream: false, 'one-shot': true });
    const stats = (await orUndefined(read)) as ContainerStats | undefined;
    // It has ended meanwhile.
    return stats ? [{ task, service, stats }] : [];
  });
  const found = (await Promise.all(looks)).flat();
  return found.sort(
    (a, b) => nameOf(a.service).localeCompare(nameOf(b.service)) || a.task.ID.localeCompare(b.task.ID),
  );
}

/** Nothing of an instance that is looked at for the first time. */
function describe(before: readonly Look[], { task, service, stats }: Look): InstanceStats[] {
  const about = { service: nameOf(service), instance: task.ID };
  if (!stats) return [{ ...about, usage: null }];
  const last = before.find((look) => look.task.ID === task.ID)?.stats;
  const usage = last ? usageBetween(last, stats, limitsOf(service)) : null;
  return usage ? [{ ...about, usage }] : [];
}

function limitsOf({ Spec: { TaskTemplate: template } }: SwarmService): Limits {
  const { NanoCPUs: nano, MemoryBytes: bytes } = template.Resources?.Limits ?? {};
  return { cpu: nano ? nano / NANO : null, memory: bytes || null };
}

function nameOf({ Spec: { Labels: labels } }: SwarmService): string {
  return labels[LABEL.service];
}
