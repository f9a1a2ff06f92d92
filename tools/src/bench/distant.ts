import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Distant {
  url: string;
  stop(): Promise<void>;
}

/** An HTTP server as if it were so many milliseconds away: each request waits that long, and passes as it came. */
export async function startDistant(origin: string, milliseconds: number): Promise<Distant> {
  const { hostname, port } = new URL(origin);
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request;
    void delay(milliseconds).then(() => {
      const passed = ask({ hostname, port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      response.on('close', () => passed.destroy());
      request.pipe(passed);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
