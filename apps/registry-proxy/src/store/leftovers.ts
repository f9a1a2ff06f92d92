import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

const own = new Set<string>();

/** A new folder name for the unfinished fetches of a store opened by this process: `<host>~<pid>~<unique>`. */
export function instanceFolder(): string {
  const folder = `${hostname()}~${process.pid}~${randomUUID()}`;
  own.add(folder);
  return folder;
}

/**
 * Removes the unfinished fetches of instances that are gone. Instances on other machines may share the folder, and
 * whether they live cannot be asked from here: theirs go when nothing was written for a day.
 */
export async function sweepLeftovers(incoming: string): Promise<void> {
  for (const folder of await readdir(incoming)) {
    const path = join(incoming, folder);
    if (await isAbandoned(folder, path)) await rm(path, { recursive: true, force: true });
  }
}

async function isAbandoned(folder: string, path: string): Promise<boolean> {
  const [host, pid] = folder.split('~');
  if (own.has(folder)) return false;
  // A restarted container has its old host name and often its old pid: "this pid", not made by this process, is dead.
  if (host === hostname()) return Number(pid) === process.pid || !isRunning(Number(pid));
  const newest = await stat(path).catch(() => null);
  return newest !== null && Date.now() - newest.mtimeMs > ABANDONED_AFTER_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
