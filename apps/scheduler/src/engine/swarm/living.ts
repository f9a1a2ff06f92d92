import type { EnvironmentRef, LivingInstance } from '../container-engine.js';
import { callEngine } from './docker-client.js';
import type { Task } from './engine-api.js';
import { LABEL } from './labels.js';
import type { Swarm } from './swarm.js';
import type { EnvironmentState, SwarmObjects } from './swarm-objects.js';

const WITH_CONTAINER = new Set<Task['Status']['State']>(['starting', 'running']);

/** Whether it has one, and is to keep it. One with a health check is `starting` until that has passed. */
export function hasContainer({ DesiredState: desired, Status: status }: Task): boolean {
  return desired === 'running' && WITH_CONTAINER.has(status.State) && !!status.ContainerStatus?.ContainerID;
}

export async function livingInstances(swarm: Swarm, target?: EnvironmentRef): Promise<LivingInstance[]> {
  const { services, tasks } = await (target ? swarm.objects.state(target) : stateOfAll(swarm));
  const byId = new Map(services.map((service) => [service.ID, service]));
  return tasks.filter(hasContainer).flatMap((task): LivingInstance[] => {
    const labels = byId.get(task.ServiceID)?.Spec.Labels;
    if (!labels) return [];
    const { [LABEL.project]: project, [LABEL.environment]: environment, [LABEL.service]: service } = labels;
    return [{ id: task.ID, project, environment, service }];
  });
}

async function stateOfAll({ docker, objects }: Swarm): Promise<EnvironmentState> {
  const filters = { 'desired-state': ['running'] };
  const [services, tasks] = await Promise.all([
    objects.services({ [LABEL.installation]: objects.installation }),
    callEngine(() => docker.listTasks({ filters }) as Promise<Task[]>),
  ]);
  return { services, tasks };
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
