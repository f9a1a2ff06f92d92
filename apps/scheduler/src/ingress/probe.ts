import { request } from 'node:http';
import { join } from 'node:path';
import type { InstanceAddress } from '../engine/container-engine.js';
import { PROBE_INSTANCE, PROBE_PROTOCOL, PROBE_REACHED } from './config.js';

const TIMEOUT_MS = 2_000;

/**
 * Whether an instance answers a request that comes from where all come from. Any answer of its own counts: what it means
 * is the health check's business.
 */
export function reaches(folder: string, { address, port, protocol }: InstanceAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      {
        socketPath: join(folder, 'probe.sock'),
        ...{ method: 'GET', path: '/', timeout: TIMEOUT_MS, agent: false },
        headers: {
          host: 'localhost',
          'user-agent': 'berth-probe',
          [PROBE_INSTANCE]: `${address}:${port}`,
          [PROBE_PROTOCOL]: protocol,
        },
      },
      (response) => {
        response.destroy();
        resolve(response.headers[PROBE_REACHED] !== undefined);
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
    call.end();
  });
}
