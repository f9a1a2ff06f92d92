import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import {
  BUSYBOX_COMMANDS,
  busyboxFiles,
  fetchBusybox,
  findBusybox,
  Home,
  readHostSettings,
} from '@berth/host';
import { pack, type Pack } from 'tar-stream';
import { startOnce } from './parts.js';

/** A layer of an image (OCI image spec, layer.md): a gzipped tar. */
export interface Layer {
  /** Digest of the compressed bytes, which names the blob. */
  digest: string;
  /** Digest of the tar itself, which the image's configuration lists. */
  diffId: string;
  content: Buffer;
}

/** A file of an image: its text, or bytes with a mode. */
export type ImageFile = string | { content: string | Buffer; mode?: number };

const ACCOUNTS = {
  '/etc/passwd': 'root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n',
  '/etc/group': 'root:x:0:\napp:x:1000:\n',
};

let base: Promise<Layer> | undefined;

/** A shell, a web server and wget, with the libraries that they load: enough for every image that tests need. */
export function busyboxLayer(): Promise<Layer> {
  return (base ??= makeBusyboxLayer());
}

/** A layer of these files, by absolute path. The same files make the same digest. */
export function makeLayer(files: Record<string, ImageFile>): Promise<Layer> {
  const tar = pack();
  const folders = new Set<string>();
  for (const [path, file] of Object.entries(files)) {
    const { content, mode = 0o644 } = typeof file === 'string' ? { content: file } : file;
    addFile(tar, folders, path, { content: Buffer.from(content), mode });
  }
  return finish(tar);
}

/** Folders that a user of the image may write to. */
export function folderLayer(folders: { path: string; uid: number; mode?: number }[]): Promise<Layer> {
  const tar = pack();
  for (const { path, uid, mode = 0o755 } of folders)
    tar.entry({
      name: `${path.slice(1)}/`,
      type: 'directory',
      mode,
      uid,
      gid: uid,
      mtime: new Date(0),
    });
  return finish(tar);
}

async function makeBusyboxLayer(): Promise<Layer> {
  const { busybox } = await startOnce('busybox', async () => {
    const { packages } = new Home(readHostSettings().home);
    if (!findBusybox(packages)) await fetchBusybox(packages);
    return { busybox: findBusybox(packages) };
  });
  if (!busybox) throw new Error('There is no busybox to make images from.');
  const tar = pack();
  const folders = new Set<string>();
  for (const { path, source } of await busyboxFiles(busybox)) {
    addFile(tar, folders, path, { content: readFileSync(source), mode: 0o755 });
  }
  for (const [path, content] of Object.entries(ACCOUNTS)) {
    addFile(tar, folders, path, { content: Buffer.from(content), mode: 0o644 });
  }
  for (const name of BUSYBOX_COMMANDS) {
    tar.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox', mtime: new Date(0) });
  }
  tar.entry({ name: 'tmp/', type: 'directory', mode: 0o1777, mtime: new Date(0) });
  return finish(tar);
}

function addFile(
  tar: Pack,
  folders: Set<string>,
  path: string,
  file: { content: Buffer; mode: number },
): void {
  const parts = path.split('/').filter(Boolean);
  for (let depth = 1; depth < parts.length; depth++) {
    const folder = `${parts.slice(0, depth).join('/')}/`;
    if (!folders.has(folder)) tar.entry({ name: folder, type: 'directory', mode: 0o755, mtime: new Date(0) });
    folders.add(folder);
  }
  tar.entry({ name: parts.join('/'), mode: file.mode, mtime: new Date(0) }, file.content);
}

async function finish(tar: Pack): Promise<Layer> {
  tar.finalize();
  const plain = await buffer(tar);
  const content = gzipSync(plain, { level: 1 });
  return { digest: sha256(content), diffId: sha256(plain), content };
}

export function sha256(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
