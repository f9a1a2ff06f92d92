import { BerthError } from '@berth/contracts';
import { LABEL } from './labels.js';
import type { EnvironmentState } from './swarm-objects.js';
import type { Task } from './engine-api.js';
import { isRunning } from './verdict.js';

export interface WantedInstance {
  service: string;
  /** Its id or the beginning of it; null for any. */
  instance: string | null;
}

/** The node whose engine is asked, and the host names of all by their ids. */
export interface Here {
  id: string | null;
  names: ReadonlyMap<string, string>;
}

/** Pure: the newest instance of a service that is as asked for, runs, and does so on this node. */
export function chooseInstance(
  { services, tasks }: EnvironmentState,
  { service, instance }: WantedInstance,
  { id: node, names }: Here,
): Task {
  const own = services.filter(({ Spec: spec }) => spec.Labels[LABEL.service] === service);
  const ids = new Set(own.map(({ ID: id }) => id));
  const candidates = tasks.filter(
    ({ ServiceID: id, ID: task }) => ids.has(id) && task.startsWith(instance ?? ''),
  );
  if (instance !== null && candidates.length === 0)
    throw new BerthError('NOT_FOUND', `There is no instance "${instance}" of "${service}".`);
  const running = candidates
    .filter(isRunning)
    .sort((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : a.CreatedAt > b.CreatedAt ? -1 : 0));
  if (running.length === 0) throw notRunning(service, instance);
  if (instance !== null && running.length > 1)
    throw new BerthError('CONFLICT', `Several instances of "${service}" begin with "${instance}": say more.`);
  const here = running.find(({ NodeID: at }) => at === node);
  if (here) return here;
  const nameOf = (id: string): string => names.get(id) ?? id;
  const [{ ID: id, NodeID: there = '' }] = running;
  throw new BerthError(
    'INSTANCE_ELSEWHERE',
    `The instance ${id} of "${service}" runs on the node "${nameOf(there)}", and Berth reaches into those on "${nameOf(node ?? '')}" only. ` +
      `Ask whoever runs that node, or scale "${service}" up until an instance of it runs on "${nameOf(node ?? '')}".`,
  );
}

function notRunning(service: string, instance: string | null): BerthError {
  const what =
    instance === null ? `No instance of "${service}" runs` : `The instance "${instance}" does not run`;
  return new BerthError('INSTANCE_NOT_RUNNING', `${what}. "berth services" shows what does.`);
}
