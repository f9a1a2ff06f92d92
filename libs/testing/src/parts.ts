import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DEFAULT_DOCKER_HOST,
  engineVersion,
  freePort,
  ingressImage,
  newSecret,
  processStartTime,
  readHostSettings,
  readJsonFile,
  runningProcess,
  startEngine,
  startPostgres,
  startRegistry,
  storeAccount,
  superuserUrl,
  waitUntil,
  writeAtomically,
} from '@berth/host';
import { runFolder } from './env.js';

/** The one Postgres of this run, started by whoever needs it first. Returns its superuser's URL. */
export async function testPostgres(): Promise<string> {
  const { url } = await startOnce('postgres', async () => {
    const folder = runFolder();
    const server = {
      folder: join(folder, 'postgres'),
      port: await freePort(),
      superuserPassword: newSecret(),
      pidFile: join(folder, 'pids', 'postgres.pid'),
      logFile: join(folder, 'log', 'postgres.log'),
      account: storeAccount(),
      fsync: false,
    };
    await startPostgres(server);
    return { url: superuserUrl(server) };
  });
  return url;
}

export interface UpstreamAddress {
  /** host:port, as in an image reference. */
  address: string;
  /** http://host:port */
  url: string;
}

/** The one upstream registry of this run (Debian's docker-registry): stands for Docker Hub, empty but for the tests' images. */
export function upstreamRegistry(): Promise<UpstreamAddress> {
  return startOnce('upstream', async () => {
    const folder = runFolder();
    const port = await startRegistry({
      folder: join(folder, 'upstream'),
      pidFile: join(folder, 'pids', 'upstream.pid'),
      logFile: join(folder, 'log', 'upstream.log'),
    });
    return { address: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` };
  });
}

/** The container engine: the one that runs, else one started for this run. Returns its DOCKER_HOST. */
export async function testEngine(): Promise<string> {
  const { dockerHost } = await startOnce('engine', async () => {
    const folder = runFolder();
    writeFileSync(join(folder, 'engine-used'), '');
    const wanted = readHostSettings().dockerHost;
    if ((await engineVersion(wanted)) !== undefined) return { dockerHost: wanted };
    if (wanted !== DEFAULT_DOCKER_HOST) throw new Error(`No container engine answers at ${wanted}.`);
    await startEngine({
      pidFile: join(folder, 'pids', 'dockerd.pid'),
      logFile: join(folder, 'log', 'dockerd.log'),
      dataFolder: join(folder, 'engine'),
    });
    return { dockerHost: wanted };
  });
  return dockerHost;
}

/** Name of the image of the way in, made of this machine's Caddy. */
export async function testIngressImage(): Promise<string> {
  const dockerHost = await testEngine();
  const { image } = await startOnce('ingress-image', async () => ({ image: await ingressImage(dockerHost) }));
  if (!image) throw new Error('There is no caddy to make the image of the way in from.');
  return image;
}

/**
 * Runs something once in a run, whichever of Jest's workers comes first; the others wait for what it returned. Its result
 * is kept as `<name>.json` in the run's folder.
 */
export async function startOnce<T>(name: string, start: () => Promise<T>): Promise<T> {
  const resultFile = join(runFolder(), `${name}.json`);
  const lockFile = join(runFolder(), `${name}.lock`);
  let result = readJsonFile<T>(resultFile);
  await waitUntil(async () => {
    result ??= readJsonFile<T>(resultFile);
    if (result !== undefined) return true;
    if (!takeLock(lockFile)) return false;
    try {
      result = readJsonFile<T>(resultFile) ?? (await start());
      writeAtomically(resultFile, JSON.stringify(result), 0o600);
    } finally {
      rmSync(lockFile, { force: true });
    }
    return true;
  }, 120_000);
  if (result === undefined) throw new Error(`${name} did not start in this test run.`);
  return result;
}

/** The lock appears with its content, by link(2): nobody reads half of it and takes its owner for dead. */
function takeLock(lockFile: string): boolean {
  const claim = `${lockFile}.${process.pid}`;
  const owner = { pid: process.pid, startTime: processStartTime(process.pid), stamp: '' };
  writeFileSync(claim, JSON.stringify(owner));
  try {
    linkSync(claim, lockFile);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // A worker may have died while it held the lock.
    if (!runningProcess(lockFile)) rmSync(lockFile, { force: true });
    return false;
  } finally {
    rmSync(claim, { force: true });
  }
}
