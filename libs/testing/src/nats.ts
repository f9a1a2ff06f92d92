import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  freePort,
  inboxPrefix,
  integratorUser,
  natsAccepts,
  NATS_USERS,
  newSecret,
  reloadNats,
  startNats,
  stopNats,
  storeAccount,
  type NatsUser,
} from '@berth/host';
import { runFolder } from './env.js';

/** What a service's client needs, named both as options of `connect` and as the service's environment. */
export interface NatsAccess {
  servers: string;
  user: string;
  pass: string;
  inboxPrefix: string;
  env: { NATS_URL: string; NATS_USER: string; NATS_PASSWORD: string };
}

/** A nats-server of one's own, with the users and permissions that a platform has. */
export interface TestNats {
  /** nats://host:port, without credentials. */
  url: string;
  as(user: NatsUser): NatsAccess;
  /** Lets one in who answers a hook over NATS. */
  addIntegrator(hook: string): Promise<Omit<NatsAccess, 'env'>>;
  /** Stops the server; streams stay on disk. */
  stop(): Promise<void>;
  /** Starts it again, at the same port and with the same streams. */
  start(): Promise<void>;
  /** Stops it and removes its streams. */
  remove(): Promise<void>;
}

/** Starts a nats-server (30 ms): streams and subjects of other spec files are not in the way. */
export async function startTestNats(): Promise<TestNats> {
  const run = runFolder();
  const name = `nats-${randomBytes(4).toString('hex')}`;
  const passwords = Object.fromEntries(NATS_USERS.map((user) => [user, newSecret()])) as Record<
    NatsUser,
    string
  >;
  const server = {
    folder: join(run, name),
    port: await freePort(),
    passwords,
    pidFile: join(run, 'pids', `${name}.pid`),
    logFile: join(run, 'log', `${name}.log`),
    account: storeAccount(),
  };
  await startNats(server);
  const url = `nats://127.0.0.1:${server.port}`;
  const integrators: Record<string, string> = {};
  return {
    url,
    as: (user) => ({
      servers: url,
      user,
      pass: passwords[user],
      inboxPrefix: inboxPrefix(user),
      env: { NATS_URL: url, NATS_USER: user, NATS_PASSWORD: passwords[user] },
    }),
    addIntegrator: async (hook) => {
      const [user, pass] = [integratorUser(hook), (integrators[hook] ??= newSecret())];
      await reloadNats({ ...server, integrators }, () => natsAccepts(server.port, user, pass));
      return { servers: url, user, pass, inboxPrefix: inboxPrefix(user) };
    },
    stop: async () => void (await stopNats(server)),
    start: async () => void (await startNats({ ...server, integrators })),
    remove: async () => {
      await stopNats(server);
      rmSync(server.folder, { recursive: true, force: true });
    },
  };
}

let shared: Promise<TestNats> | undefined;

/** Access for a user to the nats-server of this spec file (Jest gives each file its modules anew), started at the first call. */
export async function testNats(user: NatsUser): Promise<NatsAccess> {
  shared ??= startTestNats();
  return (await shared).as(user);
}
