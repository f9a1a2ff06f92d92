import type { EnvironmentRef, LivingInstance } from '../container-engine.js';
import { callEngine } from './docker-client.js';
import type { Task } from './engine-api.js';
import { LABEL } from './labels.js';
import type { Swarm } from './swarm.js';
import type { SwarmObjects } from './swarm-objects.js';

const WITH_CONTAINER = new Set<Task['Status']['State']>(['starting', 'running']);

/** Whether it has one, and is to keep it. One with a health check is `starting` until that has passed. */
export function hasContainer({ DesiredState: desired, Status: status }: Task): boolean {
  return desired === 'running' && WITH_CONTAINER.has(status.State) && !!status.ContainerStatus?.ContainerID;
}

/** By what is written on their containers: to list all services for it would take as long as all the rest. */
export async function livingInstances(
  { docker, objects }: Swarm,
  target?: EnvironmentRef,
): Promise<LivingInstance[]> {
  const filters = { 'desired-state': ['running'] };
  const tasks = target
    ? (await objects.state(target)).tasks
    : await callEngine(() => docker.listTasks({ filters }) as Promise<Task[]>);
  return tasks.filter(hasContainer).flatMap(({ ID: id, Spec: spec }): LivingInstance[] => {
    const labels = spec.ContainerSpec.Labels ?? {};
    if (labels[LABEL.installation] !== objects.installation) return [];
    const { [LABEL.project]: project, [LABEL.environment]: environment, [LABEL.service]: service } = labels;
    return [{ id, project, environment, service }];
  });
}

/** All that there is of it: where one generation replaces another, there are two. */
export async function haltService(
  objects: SwarmObjects,
  target: EnvironmentRef,
  service: string,
): Promise<void> {
  const present = await objects.servicesIn(target);
  const own = present.filter(({ Spec: spec }) => spec.Labels[LABEL.service] === service);
  for (const each of own) if (each.Spec.Mode.Replicated.Replicas > 0) await objects.scale(each, 0);
}
