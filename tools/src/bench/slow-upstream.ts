import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const SLICE_MS = 10;

/** A registry behind a line of so many bytes a second, for all of its clients together. A process of its own. */
export interface SlowUpstream {
  url: string;
  /** How often a blob was asked for since the last time that this was. */
  blobGets(): Promise<number>;
  stop(): Promise<void>;
}

export async function startSlowUpstream(behind: string, bytesPerSecond: number): Promise<SlowUpstream> {
  const child = fork(__filename, [behind, String(bytesPerSecond)]);
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    blobGets: async () => {
      child.send('count');
      return ((await once(child, 'message')) as [number])[0];
    },
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function serve(behind: string, bytesPerSecond: number): void {
  let gets = 0;
  // When the line is free again.
  let free = 0;
  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (incoming.method === 'GET' && incoming.url?.includes('/blobs/')) gets += 1;
    const outgoing = request(`${behind}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
    });
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const now = performance.now();
      free = Math.max(free, now) + (chunk.length * 1_000) / bytesPerSecond;
      if (free - now > SLICE_MS) await delay(free - now);
      if (!response.write(chunk)) await once(response, 'drain');
    }
    response.end();
  };
  const server = createServer((incoming, response) => {
    pass(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', () => {
    process.send?.(gets);
    gets = 0;
  });
  process.once('disconnect', () => process.exit());
}

if (require.main === module) serve(process.argv[2], Number(process.argv[3]));
