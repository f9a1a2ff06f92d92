import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Home, readHostSettings, runCommand, tryCommand } from '@berth/host';
import type { Layer } from './image-layers.js';
import { sha256 } from './image-layers.js';
import { startOnce } from './parts.js';

/** Of no use to a server in a container, or for its maintenance only. */
const LEFT_OUT =
  /^(adduser|debconf|dpkg|libllvm\d+|locales|lsof|passwd|perl.*|libperl.*|python3.*|libpython3.*|tar)_/;
const UNREAD = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/lintian', 'usr/share/info'];

/**
 * A layer with what Debian's packages hold, and all that they depend on, unpacked and not installed. Downloaded once for a
 * machine. Needs apt-get, not root.
 */
export async function debianLayer(...packages: string[]): Promise<Layer> {
  const name = createHash('sha256')
    .update([LEFT_OUT, ...packages].join())
    .digest('hex')
    .slice(0, 12);
  const { file } = await startOnce(`debian-${name}`, async () => {
    const folder = new Home(readHostSettings().home).packages;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const kept = join(folder, `layer-${name}.tar.gz`);
    if (!existsSync(kept)) await makeLayerFile(packages, kept);
    return { file: kept };
  });
  const content = readFileSync(file);
  return { digest: sha256(content), diffId: sha256(gunzipSync(content)), content };
}

async function makeLayerFile(packages: readonly string[], file: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-debian-'));
  try {
    // apt downloads as a user of its own.
    chmodSync(folder, 0o777);
    const root = join(folder, 'root');
    mkdirSync(root);
    const archives = await download(packages, folder);
    for (const archive of archives) await runCommand('dpkg-deb', ['-x', join(folder, archive), root]);
    const unread = UNREAD.map((path) => `--exclude=./${path}`);
    const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
    const tar = join(folder, 'layer.tar');
    await runCommand('tar', ['-C', root, ...same, ...unread, '-cf', tar, '.']);
    await runCommand('gzip', ['-1', '-n', tar]);
    renameAcross(`${tar}.gz`, file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As for a machine on which nothing is installed, so that what the packages depend on comes too. */
async function download(packages: readonly string[], folder: string): Promise<string[]> {
  const nothing = join(folder, 'status');
  writeFileSync(nothing, '');
  // Nor downloaded: what lies in apt's own cache would be left out.
  const cache = join(folder, 'cache');
  mkdirSync(join(cache, 'partial'), { recursive: true });
  const options = [`Dir::State::status=${nothing}`, `Dir::Cache::archives=${cache}`, 'Debug::NoLocking=1'];
  const install = [
    ...options.flatMap((option) => ['-o', option]),
    'install',
    '--yes',
    '--no-install-recommends',
    '--print-uris',
    ...packages,
  ];
  let plan = await tryCommand('apt-get', install);
  if (plan.code !== 0) {
    await runCommand('apt-get', ['update']);
    plan = { code: 0, stdout: await runCommand('apt-get', install), stderr: '' };
  }
  // 'http://…/libc6_2.36_amd64.deb' libc6_2.36_amd64.deb 2759320 MD5Sum:…
  const wanted = [...plan.stdout.matchAll(/^'[^']+' (([^_\s]+)_([^_\s]+)_\S+\.deb) /gm)]
    .filter(([, archive = '']) => !LEFT_OUT.test(archive))
    .map(([, , name = '', version = '']) => `${name}=${decodeURIComponent(version)}`);
  await runCommand('apt-get', ['download', ...wanted], { cwd: folder });
  const found = await runCommand('find', ['.', '-name', '*.deb', '-printf', '%f\n'], { cwd: folder });
  return found.split('\n').filter(Boolean).sort();
}

/** Into another file system, where it may be: whoever comes at the same time sees all of it or nothing. */
function renameAcross(from: string, to: string): void {
  const beside = `${to}.${process.pid}`;
  writeFileSync(beside, readFileSync(from));
  renameSync(beside, to);
}
