import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from './command.js';
import { inheritedEnvironment } from './env.js';
import { freePort } from './ports.js';
import { lastLines, runningProcess, startDetached, stopProcess, waitUntil } from './process.js';

export interface UpstreamRegistry {
  /** Holds its configuration and images. */
  folder: string;
  pidFile: string;
  logFile: string;
  /** Makes it a pull-through cache of this registry, for comparisons. */
  proxyOf?: string;
}

/** Starts Debian's docker-registry on a free loopback port: a real registry for tests and benchmarks. Returns its port. */
export async function startRegistry(registry: UpstreamRegistry): Promise<number> {
  const command = findCommand('docker-registry');
  if (!command) throw new Error('docker-registry is not installed.');
  const port = await freePort();
  mkdirSync(registry.folder, { recursive: true });
  chmodSync(registry.folder, 0o700);
  const configFile = join(registry.folder, 'config.yml');
  writeFileSync(configFile, renderRegistryConfig(join(registry.folder, 'images'), port, registry.proxyOf));
  startDetached({
    file: command,
    args: ['serve', configFile],
    env: inheritedEnvironment(),
    pidFile: registry.pidFile,
    logFile: registry.logFile,
  });
  const ready = await waitUntil(() => answers(port), 10_000);
  if (!ready || !runningProcess(registry.pidFile)) {
    throw new Error(`docker-registry did not start:\n${lastLines(registry.logFile)}`);
  }
  return port;
}

export function stopRegistry(registry: Pick<UpstreamRegistry, 'pidFile'>): Promise<boolean> {
  return stopProcess(registry.pidFile);
}

/** JSON is YAML: no quoting rules to get wrong. */
function renderRegistryConfig(images: string, port: number, proxyOf?: string): string {
  return JSON.stringify({
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: images }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
    ...(proxyOf ? { proxy: { remoteurl: proxyOf } } : {}),
  });
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/v2/`)).ok;
  } catch {
    return false;
  }
}
