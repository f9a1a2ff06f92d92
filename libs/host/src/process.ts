import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeAtomically } from './files.js';

/** What a pidfile holds: enough to know the process again, so that a recycled pid is never mistaken for it. */
export interface ProcessRecord {
  pid: number;
  /** Kernel start time in clock ticks after boot (field 22 of /proc/PID/stat, proc(5)). */
  startTime: string;
  /** What it was started from; a different stamp means it has to be started anew. */
  stamp: string;
}

export interface DetachedProcess {
  file: string;
  args: string[];
  env: Record<string, string>;
  pidFile: string;
  logFile: string;
  stamp?: string;
  /** Another account to run as; only root may. */
  account?: { uid: number; gid: number };
}

const LOG_LIMIT_BYTES = 50 * 1024 * 1024;

/** Start time of a process, or undefined when there is none (a zombie counts as none: nothing of it runs). */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name is in parentheses and may hold spaces and parentheses: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The process a pidfile speaks of, when that very process still runs. */
export function runningProcess(pidFile: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(pidFile, 'utf8')) as ProcessRecord;
    return processStartTime(record.pid) === record.startTime ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a process in a session of its own, so that it outlives the shell, with its output appended to a file. */
export function startDetached(options: DetachedProcess): ProcessRecord {
  for (const file of [options.logFile, options.pidFile]) mkdirSync(dirname(file), { recursive: true });
  rotate(options.logFile);
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.file, options.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env,
      cwd: '/',
      ...options.account,
    });
    // Without a pid the error says why; it arrives as an event, which must not go unheard.
    child.on('error', () => undefined);
    const startTime = child.pid === undefined ? undefined : processStartTime(child.pid);
    if (child.pid === undefined || startTime === undefined) {
      throw new Error(`${options.file} could not be started; see ${options.logFile}.`);
    }
    child.unref();
    const record = { pid: child.pid, startTime, stamp: options.stamp ?? '' };
    writeAtomically(options.pidFile, JSON.stringify(record), 0o600);
    return record;
  } finally {
    closeSync(log);
  }
}

/**
 * Stops the process of a pidfile and waits for its end: the signal first, SIGKILL after the grace period.
 * Does nothing when it does not run. Returns whether it ran.
 */
export async function stopProcess(
  pidFile: string,
  options: { signal?: NodeJS.Signals; graceMs?: number } = {},
): Promise<boolean> {
  const record = runningProcess(pidFile);
  if (record) {
    const ended = () => processStartTime(record.pid) !== record.startTime;
    signalProcess(record.pid, options.signal ?? 'SIGTERM');
    if (!(await waitUntil(ended, options.graceMs ?? 15_000))) {
      signalProcess(record.pid, 'SIGKILL');
      await waitUntil(ended, 5_000);
    }
  }
  rmSync(pidFile, { force: true });
  return record !== undefined;
}

/** The last lines of a log: what a person needs to see when a process did not start. */
export function lastLines(logFile: string, count = 15): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '(no output)';
  }
}

/** Polls until the condition holds. Returns false when the time is over. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  intervalMs = 25,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadline) return false;
    await delay(intervalMs);
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(logFile, `${logFile}.1`);
}
