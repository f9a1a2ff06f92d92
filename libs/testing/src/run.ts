import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import {
  dockerEnvironment,
  engineVersion,
  Home,
  isRoot,
  lastLines,
  processStartTime,
  readHostSettings,
  readJsonFile,
  readSecrets,
  removeIsolation,
  removeWorkloads,
  runningProcess,
  stopProcess,
  tryCommand,
} from '@berth/host';
import { runFolder, setRunFolder } from './env.js';

/** Who a run belongs to: a run whose owner is gone was interrupted, and is cleaned up by the next one. */
interface Owner {
  pid: number;
  startTime: string | undefined;
}

/** Label of the images that a run makes: `berth.test-run=<run id>`. */
export const RUN_LABEL = 'berth.test-run';

/** Starts a test run: a folder that all its parts live in. Sweeps what interrupted runs left. Returns the folder. */
export async function startRun(): Promise<string> {
  const runs = join(tmpdir(), `berth-tests-${userInfo().uid}`);
  mkdirSync(runs, { recursive: true });
  // Postgres runs as another user and has to get through.
  chmodSync(runs, 0o711);
  await sweep(runs);
  const folder = mkdtempSync(join(runs, 'run-'));
  chmodSync(folder, 0o711);
  const owner: Owner = { pid: process.pid, startTime: processStartTime(process.pid) };
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(owner));
  for (const name of ['installations', 'log', 'pids']) mkdirSync(join(folder, name));
  setRunFolder(folder);
  return folder;
}

/** Ends a run: stops its processes, and removes from the engine what carries its labels, and nothing else. */
export async function endRun(folder: string): Promise<void> {
  const { dockerHost } = readHostSettings();
  const installations = findInstallations(folder);
  const pidFiles = findPidFiles(folder);
  const isEngine = (path: string) => path.endsWith('dockerd.pid');
  if (pidFiles.filter(isEngine).some((path) => !runningProcess(path))) tellEngineEnd(folder);
  // The gateway of a platform first, the engine last: removing guests takes it.
  await Promise.all(pidFiles.filter((path) => !isEngine(path)).map((path) => stopPart(path)));
  if (existsSync(join(folder, 'engine-used')) && (await engineVersion(dockerHost)) !== undefined) {
    for (const installation of installations) await removeWorkloads(dockerHost, installation);
    await removeImages(dockerHost, folder);
  }
  if (isRoot()) for (const installation of installations) await removeIsolation(installation);
  for (const path of pidFiles.filter(isEngine)) await stopProcess(path, { graceMs: 60_000 });
  await unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/**
 * An installation id for a spec that makes things in the engine by itself: what carries `berth.installation=<id>` is removed
 * at the end of the run, however that comes.
 */
export function testInstallation(): string {
  const installation = randomBytes(4).toString('hex');
  writeFileSync(join(runFolder(), 'installations', installation), '');
  return installation;
}

/** The label's value for things made by the run of this folder. */
export function runId(folder: string): string {
  return folder.slice(folder.lastIndexOf('-') + 1).toLowerCase();
}

/** Why all that came after failed: an engine that ended in the middle of the run, in its own last words. */
function tellEngineEnd(folder: string): void {
  const lines = lastLines(join(folder, 'log', 'dockerd.log'), 100_000).split('\n');
  const crash = lines.findIndex((line) => /^(panic|fatal error|runtime error|SIG[A-Z]+):/.test(line));
  const words = crash < 0 ? lines.slice(-40) : lines.slice(Math.max(0, crash - 5), crash + 35);
  process.stderr.write(
    `The container engine ended before this run did. What it said:\n${words.join('\n')}\n`,
  );
}

/** Ends runs whose owner no longer lives: it was killed before it could. */
async function sweep(runs: string): Promise<void> {
  for (const name of listFolder(runs).filter((entry) => entry.startsWith('run-'))) {
    const folder = join(runs, name);
    const owner = readJsonFile<Owner>(join(folder, 'owner.json'));
    if (owner && processStartTime(owner.pid) === owner.startTime) continue;
    await endRun(folder);
  }
}

/** Postgres is told to stop at once; a service gets little time, for nobody waits for what it has in flight. */
function stopPart(pidFile: string): Promise<boolean> {
  return stopProcess(pidFile, {
    signal: pidFile.endsWith('postgres.pid') ? 'SIGINT' : 'SIGTERM',
    graceMs: 5_000,
  });
}

/**
 * An engine that ends leaves namespaces of overlay networks mounted now and then, and a folder that holds a mount can't be
 * removed. Mounts appear in /proc/mounts in the order they were made, so the last goes first.
 */
async function unmountBelow(folder: string): Promise<void> {
  const points = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) await tryCommand('umount', ['--lazy', point]);
}

async function removeImages(dockerHost: string, folder: string): Promise<void> {
  const env = dockerEnvironment(dockerHost);
  const filter = `label=${RUN_LABEL}=${runId(folder)}`;
  const { stdout } = await tryCommand('docker', ['image', 'ls', '--all', '--quiet', '--filter', filter], {
    env,
  });
  const images = [...new Set(stdout.split('\n').filter(Boolean))];
  if (images.length > 0) await tryCommand('docker', ['image', 'rm', '--force', ...images], { env });
}

/** Whom things in the engine belong to: platforms, which keep their id in their state folder, and single specs. */
function findInstallations(folder: string): string[] {
  const platforms = listFolder(folder)
    .filter((name) => name.startsWith('platform-'))
    .map((name) => readSecrets(new Home(join(folder, name, 'home')))?.installation)
    .filter((installation) => installation !== undefined);
  return [...platforms, ...listFolder(join(folder, 'installations'))];
}

function findPidFiles(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // Data folders hold thousands of files, and none of ours.
    if (entry.isDirectory() && !['data', 'exec', 'images', 'jetstream', 'registry'].includes(entry.name)) {
      found.push(...findPidFiles(path));
    } else if (entry.name.endsWith('.pid')) {
      found.push(path);
    }
  }
  return found;
}

function listFolder(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
