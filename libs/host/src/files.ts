import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Replaces a file in one step: a reader, or a crash, sees the old content or the new, never half of it. */
export function writeAtomically(path: string, content: string, mode: number): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  const file = openSync(temporary, 'wx', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // open() subtracts the umask from the mode.
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}

/** Parses a JSON file; undefined when there is none. Throws when it is no JSON, with its path. */
export function readJsonFile<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    throw new Error(`${path} can't be read: ${(error as Error).message}`);
  }
}

/** Whether an account that owns nothing here can reach a path: each folder above has to let others through. */
export function isReachableByOthers(path: string): boolean {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The folder of the source tree, which is also where the built services are. */
export const REPOSITORY = resolve(join(__dirname, '..', '..', '..'));
