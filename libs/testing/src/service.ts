import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  freePort,
  inheritedEnvironment,
  lastLines,
  REPOSITORY,
  runCommand,
  runningProcess,
  startDetached,
  stopProcess,
  waitUntil,
  type ServiceName,
} from '@berth/host';
import { runFolder } from './env.js';
import { startOnce } from './parts.js';

/** One service as a process: an app that a spec of another one needs, or one that is to be killed. */
export interface TestService {
  /** Of its health and metrics. */
  readonly url: string;
  /** Starts it again, at the same port; resolves when it is ready. */
  start(): Promise<void>;
  /** Sends it a signal that does not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it, with SIGKILL unless told otherwise, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a service from a build that is current, with the environment given. Resolves when it is ready. */
export async function startTestService(
  name: ServiceName,
  environment: Record<string, string>,
): Promise<TestService> {
  await startOnce('build', async () => {
    await runCommand(join(REPOSITORY, 'berth'), ['build']);
    return {};
  });
  const run = runFolder();
  const label = `${name}-${randomBytes(4).toString('hex')}`;
  const pidFile = join(run, 'pids', `${label}.pid`);
  const logFile = join(run, 'log', `${label}.log`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    startDetached({
      file: process.execPath,
      args: [join(REPOSITORY, 'apps', name, 'dist', 'main.js')],
      env: { ...inheritedEnvironment(), ...environment, HTTP_PORT: String(port) },
      ...{ pidFile, logFile },
    });
    const ready = async (): Promise<boolean> =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitUntil(async () => !runningProcess(pidFile) || (await ready()), 30_000);
    if (!(await ready())) throw new Error(`${name} did not become ready:\n${lastLines(logFile)}`);
  };
  await start();
  return {
    url,
    start,
    signal: (signal) => {
      const running = runningProcess(pidFile);
      if (!running) throw new Error(`${name} does not run`);
      process.kill(running.pid, signal);
    },
    kill: async (signal = 'SIGKILL') => void (await stopProcess(pidFile, { signal })),
  };
}
