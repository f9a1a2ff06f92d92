import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  freePort,
  newSecret,
  startPostgres,
  stopPostgres,
  stopProcess,
  storeAccount,
  superuserUrl,
} from '@berth/host';
import { runFolder } from './env.js';

/** A Postgres of one's own, for specs of its loss; it keeps what it has said it committed. */
export interface TestPostgres {
  /** Its superuser's URL, for `createTestDatabase`. */
  url: string;
  /** Stops it as a crash would: no client is waited for, and the next start has to recover. */
  crash(): Promise<void>;
  /** Starts it again, at the same port and with the same data. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const run = runFolder();
  const name = `postgres-${randomBytes(4).toString('hex')}`;
  const server = {
    folder: join(run, name),
    port: await freePort(),
    superuserPassword: newSecret(),
    pidFile: join(run, 'pids', `${name}.pid`),
    logFile: join(run, 'log', `${name}.log`),
    account: storeAccount(),
    fsync: true,
  };
  await startPostgres(server);
  return {
    url: superuserUrl(server),
    // "Immediate shutdown" (PostgreSQL manual, 18.5).
    crash: async () => void (await stopProcess(server.pidFile, { signal: 'SIGQUIT' })),
    start: async () => void (await startPostgres(server)),
    remove: async () => {
      await stopPostgres(server);
      rmSync(server.folder, { recursive: true, force: true });
    },
  };
}
