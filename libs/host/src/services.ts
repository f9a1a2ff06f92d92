import { createHash } from 'node:crypto';
import { chownSync, existsSync, lchownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT_NAME, findAccount, isRoot, type Account } from './account.js';
import { withoutShell } from './env.js';
import { isReachableByOthers, REPOSITORY } from './files.js';
import type { Home } from './home.js';
import { lastLines, runningProcess, startDetached, stopProcess, waitUntil } from './process.js';
import { SERVICE_NAMES, type ServiceName } from './service-names.js';

/**
 * A young generation of 4 MiB instead of 16: what a service sets aside for garbage is most of what it has at rest. (Source
 * maps would cost as much again.)
 */
const NODE_OPTIONS = ['--max-semi-space-size=4'];

/** One service as a process: what it is started with decides when it has to be started anew. */
export interface ServiceProcess {
  name: ServiceName;
  env: Record<string, string>;
}

/** Takes lines for a person who waits. */
export type Progress = (message: string) => void;

export interface StartedService {
  name: ServiceName;
  outcome: 'running' | 'started' | 'restarted';
}

/**
 * Starts those services that don't run, and starts anew those whose build or environment changed. Resolves when each
 * has answered on /readyz. Throws, with the service's last output, when one ends instead or takes too long.
 */
export async function startServices(
  home: Home,
  services: ServiceProcess[],
  progress: Progress,
): Promise<StartedService[]> {
  const libraries = hashBuild(...libraryFolders());
  const started = await Promise.all(services.map((service) => startService(home, service, libraries)));
  for (const { name, outcome } of started) if (outcome !== 'running') progress(`${outcome} ${name}`);
  await waitUntilReady(home, services, progress);
  return started;
}

/** Stops the services, the door first. Each finishes what it has in flight. Returns those that ran. */
export async function stopServices(
  home: Home,
  names: readonly ServiceName[] = SERVICE_NAMES,
): Promise<ServiceName[]> {
  const stopped: ServiceName[] = [];
  // The gateway stops alone, so that nobody's request comes to a service that is on its way out.
  const rest = names.filter((name) => name !== 'gateway');
  if (names.includes('gateway') && (await stopProcess(home.pidFile('gateway')))) stopped.push('gateway');
  await Promise.all(
    rest.map(async (name) => {
      if (await stopProcess(home.pidFile(name), { graceMs: 20_000 })) stopped.push(name);
    }),
  );
  return stopped;
}

/** Asks a service whether it is ready. Returns undefined when it is, else what it says. */
export async function notReady(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3_000) });
    return response.ok ? undefined : (await response.text()).slice(0, 500);
  } catch (error) {
    const cause = (error as Error).cause as { code?: string } | undefined;
    return cause?.code === 'ECONNREFUSED' ? 'does not listen yet' : (error as Error).message;
  }
}

async function startService(home: Home, service: ServiceProcess, libraries: string): Promise<StartedService> {
  const { name, env } = service;
  const folder = join(REPOSITORY, 'apps', name, 'dist');
  const main = join(folder, 'main.js');
  if (!existsSync(main)) throw new Error(`${name} is not built: there is no ${main}.`);
  const account = serviceAccount(name, main);
  const stamp = createHash('sha256')
    .update(libraries)
    .update(hashBuild(folder))
    .update(JSON.stringify([NODE_OPTIONS, withoutShell(env), account ?? null]))
    .digest('hex');
  const pidFile = home.pidFile(name);
  if (runningProcess(pidFile)?.stamp === stamp) return { name, outcome: 'running' };
  const stopped = await stopProcess(pidFile, { graceMs: 20_000 });
  if (account && name === 'registry-proxy') handOver(home.registryStore, account);
  const args = [...NODE_OPTIONS, main];
  startDetached({ file: process.execPath, args, env, account, pidFile, logFile: home.logFile(name), stamp });
  return { name, outcome: stopped ? 'restarted' : 'started' };
}

/**
 * Whom a service runs as when root starts it: nobody who owns anything else. The scheduler stays root, since whoever may
 * talk to the engine is root in effect; and so do all, where the built services lie in a folder that only root may enter.
 */
function serviceAccount(name: ServiceName, main: string): Account | undefined {
  if (!isRoot() || name === 'scheduler' || !isReachableByOthers(main)) return undefined;
  return findAccount(ACCOUNT_NAME);
}

/** Gives a folder and all in it to an account, unless it has it. */
function handOver(folder: string, { uid, gid }: Account): void {
  if (statSync(folder).uid === uid) return;
  const inside = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  // The folder itself last: a hand-over that was cut short is seen, and done again.
  for (const path of inside) lchownSync(join(folder, path), uid, gid);
  chownSync(folder, uid, gid);
}

async function waitUntilReady(home: Home, services: ServiceProcess[], progress: Progress): Promise<void> {
  const answers = new Map<ServiceName, string>(services.map(({ name }) => [name, 'not asked yet']));
  let told = performance.now();
  const allReady = async () => {
    await Promise.all(
      services
        .filter(({ name }) => answers.has(name))
        .map(async ({ name, env }) => {
          if (!runningProcess(home.pidFile(name))) {
            throw new Error(`${name} ended while it started:\n${lastLines(home.logFile(name))}`);
          }
          const answer = await notReady(serviceUrl(env));
          if (answer === undefined) answers.delete(name);
          else answers.set(name, answer);
        }),
    );
    if (answers.size > 0 && performance.now() - told > 5_000) {
      told = performance.now();
      progress(`waiting for ${[...answers.keys()].join(', ')}`);
    }
    return answers.size === 0;
  };
  if (await waitUntil(allReady, 60_000, 50)) return;
  const reports = [...answers].map(
    ([name, answer]) => `${name} is not ready (${answer}):\n${lastLines(home.logFile(name))}`,
  );
  throw new Error(reports.join('\n\n'));
}

function serviceUrl(env: Record<string, string>): string {
  return `http://${env.HTTP_HOST}:${env.HTTP_PORT}`;
}

function libraryFolders(): string[] {
  const libs = join(REPOSITORY, 'libs');
  // Only what a service can load: neither this library nor the tests' one runs in it.
  return readdirSync(libs)
    .filter((name) => name !== 'host' && name !== 'testing')
    .map((name) => join(libs, name, 'dist'));
}

/** Hash over names and contents of built files. */
function hashBuild(...folders: string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.js'),
    );
    for (const path of files.sort()) hash.update(path).update(readFileSync(join(folder, path)));
  }
  return hash.digest('hex');
}
