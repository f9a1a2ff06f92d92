import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { hasStatus, orUndefined } from './docker-client.js';

const POLL_MS = 100;
/**
 * The exit codes behind which an instance's end may hide: that of what SIGKILL ended (128 and the number of the signal), and those
 * that the engine gives to a command that it could not start, as when the container was killed under its first step.
 */
const SUSPECT = new Set([137, 126, 128]);
const SETTLE_MS = 10_000;
/** A first process that was killed may be in the table until all it started has ended. One that is there after this lives. */
const DYING_MS = 500;

/**
 * Whether an instance has ended under a command that ended with this code. The kernel kills what else runs in a container when its
 * first process ends, and the engine may tell of the one long before it tells of the other: where a command was killed, its processes
 * are looked for.
 */
export async function instanceEnded(
  container: Docker.Container,
  exitCode: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (exitCode === 0) return false;
  const since = performance.now();
  for (;;) {
    const found = await orUndefined(() => container.inspect());
    if (!found?.State.Running) return true;
    if (!SUSPECT.has(exitCode)) return false;
    const first = await firstProcess(container, found.State.Pid);
    if (first === 'ended') return true;
    if (performance.now() - since >= (first === 'lives' ? DYING_MS : SETTLE_MS)) return false;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** As the kernel has it. The engine asks the machine's `ps`, which may not be installed: what it says itself has to do, then. */
async function firstProcess(
  container: Docker.Container,
  pid: number,
): Promise<'lives' | 'ended' | 'unknown'> {
  try {
    const { Titles: titles, Processes: processes } = (await container.top()) as ProcessTable;
    const column = titles.indexOf('PID');
    return processes?.some((process) => process[column] === String(pid)) ? 'lives' : 'ended';
  } catch (error) {
    return hasStatus(error, 404) || hasStatus(error, 409) ? 'ended' : 'unknown';
  }
}

interface ProcessTable {
  Titles: string[];
  /** Null where none is left. */
  Processes: string[][] | null;
}
