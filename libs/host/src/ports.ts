import { createServer } from 'node:net';
import { PORT_SETTINGS, type PortName } from './env.js';

/** A TCP port on loopback that is free now. */
export function freePort(): Promise<number> {
  return listenOnce(0).then((port) => port ?? Promise.reject(new Error('No TCP port is free on 127.0.0.1.')));
}

/** Whether a TCP port on loopback can be listened on now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/** Throws, naming the setting that moves it, when something else listens on this port. */
export async function assertPortFree(name: PortName, port: number): Promise<void> {
  if (await isPortFree(port)) return;
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

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
