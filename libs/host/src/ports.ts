import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PORT_SETTINGS, type PortName } from './env.js';
import { waitUntil } from './process.js';

// Below the range that the kernel picks from for connections out (32768 up on Linux, 49152 up elsewhere): a port from
// there may be anybody's while its server is down for a moment.
const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES = 200;
const CLAIM_MS = 60_000;

/**
 * A TCP port on loopback that is free now, and that no connection out will take meanwhile, nor anyone else who asks here: not
 * even another process, for a minute.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await isPortFree(port)) && claim(port)) return port;
  }
  throw new Error(`No TCP port is free on 127.0.0.1 between ${LOWEST} and ${HIGHEST}.`);
}

/**
 * Whoever picks a port listens there some time later, when others have picked theirs: so each pick leaves a file by the name of
 * its port. Those that have had their time are cleared away.
 */
function claim(port: number): boolean {
  const folder = join(tmpdir(), `berth-ports-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const over = Date.now() - CLAIM_MS;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? over;
    if (made < over) rmSync(file, { force: true });
  }
  try {
    closeSync(openSync(join(folder, String(port)), 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether nobody listens on a TCP port of loopback now. One that this user may not have is left to who may: the engine. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EACCES'));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

/** Throws, naming the setting that moves it, when something else listens on this port. */
export async function assertPortFree(name: PortName, port: number): Promise<void> {
  // A process that was killed may hold its port for a moment after it counts as gone, until its last thread has ended.
  if (await waitUntil(() => isPortFree(port), 2_000)) return;
  throw new Error(
    `Port ${port} (${name}) is taken by another program. Set ${PORT_SETTINGS[name].setting} to a free port, or to 0 to have one picked.`,
  );
}

/**
 * The ports to use: as set, or as picked before, or free ones for each 0. Ports in `picked` are reused and new ones added
 * to it.
 */
export async function resolvePorts(
  wanted: Record<PortName, number>,
  picked: Partial<Record<PortName, number>>,
): Promise<Record<PortName, number>> {
  const ports = { ...wanted };
  for (const name of Object.keys(ports) as PortName[]) {
    if (ports[name] === 0) ports[name] = picked[name] ??= await freePort();
  }
  return ports;
}
