import { existsSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { findCommand, runCommand, tryCommand } from './command.js';
import { inheritedEnvironment } from './env.js';
import { lastLines, startDetached, stopProcess, waitUntil } from './process.js';

export const DEFAULT_DOCKER_HOST = 'unix:///var/run/docker.sock';

/** Version of the container engine that answers at this address, or undefined. */
export async function engineVersion(dockerHost: string): Promise<string | undefined> {
  if (dockerHost.startsWith('unix://')) return versionOverSocket(dockerHost.slice('unix://'.length));
  // TCP with certificates, ssh: the client knows how.
  const { code, stdout } = await tryCommand('docker', ['version', '--format', '{{.Server.Version}}'], {
    env: dockerEnvironment(dockerHost),
  }).catch(() => ({ code: 1, stdout: '' }));
  return code === 0 ? stdout.trim() : undefined;
}

/** Environment for the docker client that reaches this engine, whatever contexts the user has chosen. */
export function dockerEnvironment(dockerHost: string): Record<string, string> {
  // The classic builder: BuildKit needs a plugin that many packages leave out.
  return { ...inheritedEnvironment(), DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: '0' };
}

/** Whether the engine is a process of this machine, whose traffic this machine's packet filter sees. */
export function isLocalEngine(dockerHost: string): boolean {
  return dockerHost.startsWith('unix://');
}

export interface EngineProcess {
  pidFile: string;
  logFile: string;
  /** Where the engine keeps images and containers; its own default when left out. */
  dataFolder?: string;
}

/**
 * Starts the Docker engine at its usual socket and waits until it answers. As a service where systemd runs, else as a
 * process of its own that outlives the caller.
 */
export async function startEngine(engine: EngineProcess): Promise<void> {
  if (!engine.dataFolder && hasSystemd()) {
    await runCommand('systemctl', ['start', 'docker.service']);
  } else {
    const command = findCommand('dockerd');
    if (!command) throw new Error('The Docker engine (dockerd) is not installed.');
    clearStalePidFile();
    startDetached({
      file: command,
      args: engine.dataFolder
        ? ['--data-root', join(engine.dataFolder, 'data'), '--exec-root', join(engine.dataFolder, 'exec')]
        : [],
      env: inheritedEnvironment(),
      pidFile: engine.pidFile,
      logFile: engine.logFile,
    });
  }
  const ready = await waitUntil(
    async () => (await engineVersion(DEFAULT_DOCKER_HOST)) !== undefined,
    60_000,
    100,
  );
  if (!ready) throw new Error(`The Docker engine did not start:\n${lastLines(engine.logFile)}`);
}

/** Stops the engine that `startEngine` started as a process, and its containers with it. */
export function stopEngine(engine: Pick<EngineProcess, 'pidFile'>): Promise<boolean> {
  return stopProcess(engine.pidFile, { graceMs: 60_000 });
}

/** The docker client against an engine. Returns its standard output. */
export function docker(dockerHost: string, ...args: string[]): Promise<string> {
  return runCommand('docker', args, { env: dockerEnvironment(dockerHost) });
}

/** Whether systemd runs this machine, so that packages come as services that it starts. */
export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

/** dockerd takes any live process with the pid in its pidfile for itself, also after a crash let the pid go to another. */
function clearStalePidFile(): void {
  const pidFile = '/var/run/docker.pid';
  if (!existsSync(pidFile)) return;
  const pid = readFileSync(pidFile, 'utf8').trim();
  const nameFile = `/proc/${pid}/comm`;
  if (!existsSync(nameFile) || readFileSync(nameFile, 'utf8').trim() !== 'dockerd') rmSync(pidFile);
}

function versionOverSocket(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/version', timeout: 5_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(parseVersion(body)));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

function parseVersion(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { Version?: string }).Version;
  } catch {
    return undefined;
  }
}
