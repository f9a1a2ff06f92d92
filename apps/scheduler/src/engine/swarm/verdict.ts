import type { SwarmService, Task } from './engine-api.js';
import { LABEL } from './labels.js';

/** What the tasks of a service say about it. */
export type Verdict =
  | { state: 'waiting'; running: number; message: string }
  /** Every instance runs (and is healthy), none of another make is left. */
  | { state: 'settled'; running: number }
  | { state: 'failed'; message: string; task: Task | null };

/** A loop, rather than a start that met something that was not there yet. */
const CRASH_LOOP = 3;
const STOPPED = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);
const FAILED = new Set(['complete', 'failed', 'rejected', 'orphaned']);
const GIVEN_UP = /^(paused|rollback_started|rollback_paused|rollback_completed)$/;

export interface Observed {
  service: SwarmService;
  /** All tasks of the service. */
  tasks: readonly Task[];
  /** The deployment that was applied. */
  deployment: string;
  /** Tasks that had ended before it was applied. */
  before: ReadonlySet<string>;
  /** For how long no node has had room for it, in milliseconds; see `isHomeless`. */
  homelessMs: number;
}

/** How long a task may find no node: ports and shares of a node become free while old instances stop. */
const HOMELESS_LIMIT_MS = 3_000;

export function judge(observed: Observed): Verdict {
  const { service, tasks, deployment } = observed;
  const own = tasks.filter((task) => isOwn(task, service));
  const ended = own.filter((task) => FAILED.has(task.Status.State) && !observed.before.has(task.ID));
  ended.sort((a, b) => a.Status.Timestamp.localeCompare(b.Status.Timestamp));
  const last = ended.at(-1) ?? null;
  if (
    service.Spec.Labels[LABEL.deployment] !== deployment ||
    GIVEN_UP.test(service.UpdateStatus?.State ?? '')
  )
    return { state: 'failed', ...rolledBack(observed) };
  if (last && ended.length >= CRASH_LOOP)
    return { state: 'failed', message: `${ended.length} starts failed: ${taskMessage(last)}`, task: last };
  if (observed.homelessMs > HOMELESS_LIMIT_MS) {
    const task = own.find(isHomeless) ?? null;
    return { state: 'failed', message: task ? taskMessage(task) : 'no suitable node', task: null };
  }
  return progress(service, tasks, own, last);
}

function progress(
  service: SwarmService,
  tasks: readonly Task[],
  own: readonly Task[],
  last: Task | null,
): Verdict {
  const desired = service.Spec.Mode.Replicated.Replicas;
  const running = own.filter(
    (task) => task.Status.State === 'running' && task.DesiredState === 'running',
  ).length;
  const alive = tasks.filter((task) => !STOPPED.has(task.Status.State)).length;
  const updating = service.UpdateStatus?.State === 'updating';
  if (running === desired && alive === desired && !updating) return { state: 'settled', running };
  const states = own
    .filter((task) => !STOPPED.has(task.Status.State) && task.Status.State !== 'running')
    .map((task) => task.Status.State);
  const detail = [
    `${running} of ${desired} running`,
    ...(states.length > 0 ? [states[0]] : []),
    ...(running === desired && alive > desired ? ['the old ones are stopping'] : []),
    ...(last ? [`last failure: ${taskMessage(last)}`] : []),
  ];
  return { state: 'waiting', running, message: detail.join(', ') };
}

/** Swarm gave the update up, and may have put the old spec back already: the culprit carries the deployment's name. */
function rolledBack({ service, tasks, deployment, before }: Observed): {
  message: string;
  task: Task | null;
} {
  const failed = tasks.filter(
    (task) =>
      FAILED.has(task.Status.State) &&
      !before.has(task.ID) &&
      task.Spec.ContainerSpec.Labels?.[LABEL.deployment] === deployment,
  );
  failed.sort((a, b) => a.Status.Timestamp.localeCompare(b.Status.Timestamp));
  const task = failed.at(-1) ?? null;
  const why = task ? taskMessage(task) : (service.UpdateStatus?.Message ?? 'the update was given up');
  return { message: why, task };
}

/** Made from the template that the service has now. */
export function isOwn(task: Task, service: SwarmService): boolean {
  const labels = task.Spec.ContainerSpec.Labels ?? {};
  const wanted = service.Spec.TaskTemplate.ContainerSpec.Labels;
  return [LABEL.template, LABEL.deployment, LABEL.release].every((name) => labels[name] === wanted[name]);
}

/** Waits for a node, and no old instance is there whose end could make room. */
export function isHomeless(task: Task): boolean {
  return (
    task.Status.State === 'pending' && /no suitable node/i.test(task.Status.Err ?? task.Status.Message ?? '')
  );
}

export function isStopped(task: Task): boolean {
  return STOPPED.has(task.Status.State);
}

export function taskMessage({ Status: status }: Task): string {
  const exitCode = status.ContainerStatus?.ExitCode;
  const said = (status.Err || status.Message || status.State).replace(/^task: /, '');
  if (status.State === 'complete') return 'the container ended by itself, with exit code 0';
  if (exitCode === undefined || exitCode === 0 || said.includes(`(${exitCode})`)) {
    return /non-zero exit \((\d+)\)/.test(said)
      ? said.replace(/non-zero exit \((\d+)\)/, 'the container exited with code $1')
      : said;
  }
  return `${said} (exit code ${exitCode})`;
}
