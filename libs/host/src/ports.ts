import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { PORT_SETTINGS, type PortName } from './env.js';
import { waitUntil } from './process.js';

// Below the range that the kernel picks from for connections out (32768 up on Linux, 49152 up elsewhere): a port from
// there may be anybody's while its server is down for a moment.
const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES = 200;

/** A TCP port on loopback that is free now, and that no connection out will take meanwhile. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No TCP port is free on 127.0.0.1 between ${LOWEST} and ${HIGHEST}.`);
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
