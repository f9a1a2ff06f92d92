import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { orUndefined } from './docker-client.js';

const POLL_MS = 100;
/** The exit code of what SIGKILL ended: 128 and the number of the signal. */
const KILLED = 137;
const SETTLE_MS = 2_000;

/**
 * Whether an instance has ended under a command that ended with this code. The kernel kills what else runs in a container when its
 * first process ends, and the engine may tell of the one before it tells of the other: a killed command is given the time to
 * turn out a part of that.
 */
export async function instanceEnded(
  container: Docker.Container,
  exitCode: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (exitCode === 0) return false;
  const until = performance.now() + (exitCode === KILLED ? SETTLE_MS : 0);
  for (;;) {
    const found = await orUndefined(() => container.inspect());
    if (!found?.State.Running) return true;
    if (performance.now() >= until) return false;
    await delay(POLL_MS, undefined, { signal });
  }
}
