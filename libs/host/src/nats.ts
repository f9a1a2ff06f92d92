import { createHash } from 'node:crypto';
import { chownSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Account } from './account.js';
import { findCommand } from './command.js';
import { inheritedEnvironment } from './env.js';
import { writeAtomically } from './files.js';
import { renderNatsConfig } from './nats-config.js';
import type { NatsUser } from './nats-permissions.js';
import { lastLines, runningProcess, startDetached, stopProcess, waitUntil } from './process.js';

export interface NatsServer {
  /** Holds the configuration and, in `jetstream`, the streams. */
  folder: string;
  port: number;
  passwords: Record<NatsUser, string>;
  pidFile: string;
  logFile: string;
  account?: Account;
}

/** Starts nats-server, or starts it anew when its configuration changed. Resolves once it answers. */
export async function startNats(server: NatsServer): Promise<'running' | 'started'> {
  const { folder, port, passwords } = server;
  const config = renderNatsConfig({ port, passwords, storeFolder: join(folder, 'jetstream') });
  const stamp = createHash('sha256').update(config).digest('hex');
  if (runningProcess(server.pidFile)?.stamp === stamp) return 'running';
  await stopNats(server);

  const command = findCommand('nats-server');
  if (!command) throw new Error('nats-server is not installed.');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const configFile = join(folder, 'nats.conf');
  writeAtomically(configFile, config, 0o600);
  if (server.account) {
    for (const path of [folder, configFile]) chownSync(path, server.account.uid, server.account.gid);
  }
  startDetached({
    file: command,
    args: ['--config', configFile],
    env: inheritedEnvironment(),
    pidFile: server.pidFile,
    logFile: server.logFile,
    stamp,
    account: server.account,
  });
  const ready = await waitUntil(() => greets(port), 10_000);
  if (!ready || !runningProcess(server.pidFile)) {
    throw new Error(`NATS did not start:\n${lastLines(server.logFile)}`);
  }
  return 'started';
}

/** Stops nats-server; it writes its streams to disk first. */
export function stopNats(server: Pick<NatsServer, 'pidFile'>): Promise<boolean> {
  return stopProcess(server.pidFile);
}

/** A NATS server speaks first: `INFO {...}` (NATS client protocol). */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => finish(data.toString('latin1').startsWith('INFO ')));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
    socket.once('close', () => finish(false));
  });
}
