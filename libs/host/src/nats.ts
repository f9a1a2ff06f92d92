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
  /** Passwords of those who answer hooks, by the hook's name. */
  integrators?: Readonly<Record<string, string>>;
  pidFile: string;
  logFile: string;
  account?: Account;
}

/** Starts nats-server, or starts it anew when its configuration changed. Resolves once it answers. */
export async function startNats(server: NatsServer): Promise<'running' | 'started'> {
  const { folder, port } = server;
  const { config, stamp } = configurationOf(server);
  if (runningProcess(server.pidFile)?.stamp === stamp) return 'running';
  await stopNats(server);

  const command = findCommand('nats-server');
  if (!command) throw new Error('nats-server is not installed.');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (server.account) chownSync(folder, server.account.uid, server.account.gid);
  const configFile = writeConfiguration(server, config);
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

/**
 * Has a running nats-server take on other users, with all connections of the others left as they are. Does nothing where it does not
 * run: its next start takes them on. `isDone` is asked until it has.
 */
export async function reloadNats(server: NatsServer, isDone: () => Promise<boolean>): Promise<void> {
  const record = runningProcess(server.pidFile);
  const { config, stamp } = configurationOf(server);
  if (!record || record.stamp === stamp) return;
  writeConfiguration(server, config);
  process.kill(record.pid, 'SIGHUP');
  if (!(await waitUntil(isDone, 5_000)))
    throw new Error(`NATS did not take its new configuration:\n${lastLines(server.logFile)}`);
  writeAtomically(server.pidFile, JSON.stringify({ ...record, stamp }), 0o600);
}

/** Stops nats-server; it writes its streams to disk first. */
export function stopNats(server: Pick<NatsServer, 'pidFile'>): Promise<boolean> {
  return stopProcess(server.pidFile);
}

function configurationOf(server: NatsServer): { config: string; stamp: string } {
  const { port, passwords, integrators, folder } = server;
  const config = renderNatsConfig({ port, passwords, integrators, storeFolder: join(folder, 'jetstream') });
  return { config, stamp: createHash('sha256').update(config).digest('hex') };
}

function writeConfiguration({ folder, account }: NatsServer, config: string): string {
  const file = join(folder, 'nats.conf');
  writeAtomically(file, config, 0o600);
  if (account) chownSync(file, account.uid, account.gid);
  return file;
}

/** A NATS server speaks first: `INFO {...}` (NATS client protocol). */
function greets(port: number): Promise<boolean> {
  return converse(port, (data) => (data.startsWith('INFO ') ? true : null));
}

/** Whether it lets somebody in: it answers PING with PONG, or with -ERR (NATS client protocol, CONNECT). */
export function natsAccepts(port: number, user: string, pass: string): Promise<boolean> {
  const greeting = `CONNECT ${JSON.stringify({ user, pass, verbose: false, lang: 'berth', version: '1' })}\r\nPING\r\n`;
  return converse(
    port,
    (said) => (said.includes('-ERR') ? false : said.includes('PONG') ? true : null),
    greeting,
  );
}

/** `understand` answers null until enough was said. */
function converse(
  port: number,
  understand: (said: string) => boolean | null,
  greeting = '',
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    let said = '';
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (data) => {
      said += data.toString('latin1');
      const answer = understand(said);
      if (answer !== null) finish(answer);
    });
    socket.write(greeting);
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
    socket.once('close', () => finish(false));
  });
}
