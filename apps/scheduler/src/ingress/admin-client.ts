import { request } from 'node:http';
import { join } from 'node:path';

const TIMEOUT_MS = 10_000;

/** Gives Caddy its whole configuration, over its socket. Throws with Caddy's own words when it does not take it. */
export function loadConfig(folder: string, config: object): Promise<void> {
  const body = JSON.stringify(config);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: join(folder, 'admin.sock'),
        ...{ method: 'POST', path: '/load', timeout: TIMEOUT_MS },
        headers: {
          host: 'localhost',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`Caddy refuses its configuration: ${Buffer.concat(chunks).toString()}`));
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error('Caddy does not answer in time')));
    call.on('error', reject);
    call.end(body);
  });
}
