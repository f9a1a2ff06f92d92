import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { eventually } from '@berth/testing';
import { Watcher, watchEvent } from './watcher.js';

describe('who watches', () => {
  let server: Server;
  let watcher: Watcher;
  let response: IncomingMessage;
  let heard: string;

  async function connect(last?: string): Promise<void> {
    server = createServer((_request, answer) => (watcher = new Watcher(answer, last))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const call = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    [response] = (await once(call, 'response')) as [IncomingMessage];
    heard = '';
    response.setEncoding('utf8');
  }
  const read = () => response.on('data', (chunk: string) => (heard += chunk));
  const tags = () => [...heard.matchAll(/^id: (.*)$/gm)].map(([, tag]) => tag);
  afterEach(() => {
    response.destroy();
    server.close();
  });

  it('is told of each change, and of none that it knows', async () => {
    await connect('a');
    read();
    for (const tag of ['a', 'b', 'b', 'a']) watcher.offer(watchEvent(tag, { tag }));
    await eventually(() => expect(tags()).toEqual(['b', 'a']));
    watcher.end();
    await once(response, 'end');
    expect(heard).toContain('event: metadata\nid: b\ndata: {"tag":"b"}\n\n');
  });

  it('is told the latest only when it reads slowly', async () => {
    await connect();
    const large = 'x'.repeat(8 * 1024 ** 2);
    for (const tag of ['a', 'b', 'c', 'd']) watcher.offer(watchEvent(tag, large));
    read();
    await eventually(() => expect(tags()).toEqual(['a', 'd']));
  });
});
