import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findCommand, runCommand, tryCommand } from './command.js';

/**
 * The busybox at hand: the machine's, or Debian's as unpacked by `fetchBusybox`. (The `-T` of its wget crashes; `timeout`
 * does the same.)
 */
export function findBusybox(packagesFolder: string): string | undefined {
  const unpacked = join(packagesFolder, 'busybox', 'bin', 'busybox');
  return findCommand('busybox') ?? (existsSync(unpacked) ? unpacked : undefined);
}

/**
 * Downloads and unpacks Debian's busybox. Not installed: it conflicts with busybox-static, which some machines boot from.
 * Needs apt-get and its package lists, not root.
 */
export async function fetchBusybox(packagesFolder: string): Promise<void> {
  mkdirSync(packagesFolder, { recursive: true, mode: 0o700 });
  // apt downloads as a user of its own, who can't enter the state folder.
  const download = mkdtempSync(join(tmpdir(), 'berth-busybox-'));
  chmodSync(download, 0o777);
  try {
    await runCommand('apt-get', ['download', 'busybox'], { cwd: download });
    const [archive] = readdirSync(download);
    if (!archive) throw new Error('apt-get download busybox brought nothing.');
    const unfinished = join(packagesFolder, 'busybox.unfinished');
    rmSync(unfinished, { recursive: true, force: true });
    await runCommand('dpkg-deb', ['-x', join(download, archive), unfinished]);
    renameSync(unfinished, join(packagesFolder, 'busybox'));
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/** A file to put into an image: where it goes, and where it comes from. */
export interface RootFile {
  path: string;
  source: string;
}

/** The files that a busybox needs in an image made FROM scratch: itself as /bin/busybox, and the libraries that it loads. */
export function busyboxFiles(busybox: string): Promise<RootFile[]> {
  return binaryFiles(busybox, '/bin/busybox');
}

/** A program of the machine at a path of the image, and the libraries that it loads. */
export async function binaryFiles(program: string, at: string): Promise<RootFile[]> {
  const { stdout } = await tryCommand('ldd', [program]);
  // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)" and "/lib64/ld-linux-x86-64.so.2 (0x…)"
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  return [{ path: at, source: program }, ...libraries.map((path) => ({ path, source: realpathSync(path) }))];
}

/** The commands that images made here offer, each a link to busybox: one that is not static runs no other from a shell. */
export const BUSYBOX_COMMANDS = (
  'basename cat chmod chown cp cut date dd dirname echo env expr false find grep head hostname httpd id kill ln ls ' +
  'mkdir mv nc nslookup pidof printf ps readlink rm sed seq sh sha256sum sleep sort stty tail tar test timeout touch ' +
  'tr true uname wc wget which xargs yes'
).split(' ');

/** Copies files of an image below a folder. */
export function layOut(files: RootFile[], folder: string): void {
  for (const { path, source } of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
    chmodSync(target, 0o755);
  }
}
