import { rmSync } from 'node:fs';
import { docker, dockerEnvironment } from './engine.js';
import { tryCommand } from './command.js';
import { readJsonFile, writeAtomically } from './files.js';
import { waitUntil } from './process.js';

/** Label on all that an installation makes in the engine. What does not carry it is never touched. */
export function installationLabel(installation: string): string {
  return `berth.installation=${installation}`;
}

/**
 * Stops the guests of an installation and notes how many instances of each ran, for `resumeWorkloads`. Their services,
 * networks and volumes stay.
 */
export async function pauseWorkloads(
  dockerHost: string,
  installation: string,
  noteFile: string,
): Promise<number> {
  const running = (await listReplicas(dockerHost, installation)).filter(({ replicas }) => replicas > 0);
  if (running.length === 0) return 0;
  const note = { ...readJsonFile<Record<string, number>>(noteFile) };
  for (const { name, replicas } of running) note[name] = replicas;
  writeAtomically(noteFile, JSON.stringify(note), 0o600);
  await docker(dockerHost, 'service', 'scale', '--detach', ...running.map(({ name }) => `${name}=0`));
  // The rules that isolate guests go next: none may be left running without them.
  const allStopped = async () =>
    (await listReplicas(dockerHost, installation)).every(({ alive }) => alive === 0);
  await waitUntil(allStopped, 60_000, 100);
  return running.length;
}

/** Starts again what `pauseWorkloads` stopped, as far as it is still there. */
export async function resumeWorkloads(
  dockerHost: string,
  installation: string,
  noteFile: string,
): Promise<number> {
  const note = readJsonFile<Record<string, number>>(noteFile);
  if (!note) return 0;
  const stopped = (await listReplicas(dockerHost, installation)).filter(
    ({ name, replicas }) => replicas === 0 && note[name],
  );
  if (stopped.length > 0) {
    await docker(
      dockerHost,
      'service',
      'scale',
      '--detach',
      ...stopped.map(({ name }) => `${name}=${note[name]}`),
    );
  }
  rmSync(noteFile);
  return stopped.length;
}

/** Stops the way in; the scheduler starts it again. Answers whether it ran. */
export async function stopIngress(dockerHost: string, installation: string): Promise<boolean> {
  if (!(await isIngressUp(dockerHost, installation))) return false;
  await docker(dockerHost, 'stop', '--time', '5', ingressName(installation));
  return true;
}

/** Whether the way in runs, and so holds its port. */
export async function isIngressUp(dockerHost: string, installation: string): Promise<boolean> {
  const filter = `name=^${ingressName(installation)}$`;
  const env = dockerEnvironment(dockerHost);
  const { stdout } = await tryCommand('docker', ['ps', '--quiet', '--filter', filter], { env });
  return stdout.trim() !== '';
}

function ingressName(installation: string): string {
  return `berth-${installation}-ingress`;
}

/** Removes all that an installation made in the engine: for installations that end for good, such as a test's. */
export async function removeWorkloads(dockerHost: string, installation: string): Promise<void> {
  const filter = ['--filter', `label=${installationLabel(installation)}`];
  const run = (...args: string[]) => tryCommand('docker', args, { env: dockerEnvironment(dockerHost) });
  const ids = async (...args: string[]) =>
    (await run(...args, '--quiet', ...filter)).stdout.split('\n').filter(Boolean);

  const services = await ids('service', 'ls');
  if (services.length > 0) await run('service', 'rm', ...services);
  // Swarm removes a service at once and its containers a while later: don't leave networks in use behind.
  await waitUntil(
    async () => {
      const containers = await ids('ps', '--all');
      if (containers.length > 0) await run('rm', '--force', '--volumes', ...containers);
      return containers.length === 0;
    },
    30_000,
    200,
  );
  for (const kind of ['secret', 'config', 'network', 'volume']) {
    await waitUntil(
      async () => {
        const left = await ids(kind, 'ls');
        if (left.length > 0) await run(kind, 'rm', ...left);
        return left.length === 0;
      },
      20_000,
      200,
    );
  }
  // That of builds, which is no environment's; there may be none.
  await run('network', 'rm', `berth-${installation}-builds`);
}

interface Replicas {
  name: string;
  /** Instances that run now. */
  alive: number;
  /** Instances that should run. */
  replicas: number;
}

async function listReplicas(dockerHost: string, installation: string): Promise<Replicas[]> {
  const { code, stdout } = await tryCommand(
    'docker',
    [
      'service',
      'ls',
      '--filter',
      `label=${installationLabel(installation)}`,
      '--format',
      '{{.Name}} {{.Mode}} {{.Replicas}}',
    ],
    { env: dockerEnvironment(dockerHost) },
  );
  // An engine that is in no swarm has no services.
  if (code !== 0) return [];
  return stdout
    .split('\n')
    .map((line) => /^(\S+) replicated (\d+)\/(\d+)/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ name: match[1] ?? '', alive: Number(match[2]), replicas: Number(match[3]) }));
}
