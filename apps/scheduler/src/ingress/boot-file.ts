import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOOT_CONFIG } from './config.js';

const BOOT = JSON.stringify(BOOT_CONFIG);

/**
 * What the way in starts with. Caddy may be starting, and reading it, at any time: an empty file is a configuration to it, with
 * no door that is known here. So the file is whole whenever it is there.
 */
export function writeBootFile(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'boot.json');
  if (contentOf(file) === BOOT) return;
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, BOOT);
  renameSync(unfinished, file);
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
