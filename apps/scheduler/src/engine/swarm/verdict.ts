import type { SwarmService, Task } from './engine-api.js';
import { LABEL } from './labels.js';

/** What the tasks of a service say about it. */
export type Verdict =
  | { state: 'waiting'; running: number; message: string }
  /** As many instances as wanted run (and are healthy), and no more. */
  | { state: 'settled'; running: number }
  | { state: 'failed'; message: string; task: Task | null };

/** A loop, rather than a start that met something that was not there yet. */
const CRASH_LOOP = 3;
const STOPPED = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);
const FAILED = new Set(['complete', 'failed', 'rejected', 'orphaned']);

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

export function judge({ service, tasks, deployment, before, homelessMs }: Observed): Verdict {
  if (service.Spec.Labels[LABEL.deployment] !== deployment)
    return { state: 'failed', message: 'the service was changed from outside', task: null };
  const ended = tasks.filter((task) => FAILED.has(task.Status.State) && !before.has(task.ID));
  ended.sort((a, b) => a.Status.Timestamp.localeCompare(b.Status.Timestamp));
  const last = ended.at(-1) ?? null;
  if (last && ended.length >= CRASH_LOOP)
    return { state: 'failed', message: `${ended.length} starts failed: ${taskMessage(last)}`, task: last };
  if (homelessMs > HOMELESS_LIMIT_MS) {
    const task = tasks.find(isHomeless) ?? null;
    return { state: 'failed', message: task ? taskMessage(task) : 'no suitable node', task: null };
  }
  return progress(service, tasks, last);
}

function progress(service: SwarmService, tasks: readonly Task[], last: Task | null): Verdict {
  const desired = service.Spec.Mode.Replicated.Replicas;
  const alive = tasks.filter((task) => !isStopped(task));
  const running = alive.filter(isRunning).length;
  if (running === desired && alive.length === desired) return { state: 'settled', running };
  const [state] = alive.map((task) => task.Status.State).filter((name) => name !== 'running');
  const detail = [
    `${running} of ${desired} running`,
    ...(state ? [state] : []),
    ...(running === desired && alive.length > desired ? ['others are stopping'] : []),
    ...(last ? [`last failure: ${taskMessage(last)}`] : []),
  ];
  return { state: 'waiting', running, message: detail.join(', ') };
}

export function isRunning(task: Task): boolean {
  return task.Status.State === 'running' && task.DesiredState === 'running';
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
