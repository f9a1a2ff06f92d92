import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually, freePort, nodeImage, testIngressImage } from '@berth/testing';
import { WebSocket } from 'ws';
import { docker } from './guest-connections.js';
import { SchedulerBench } from './scheduler-bench.js';
import { H2C_GUEST, HTTP_GUEST } from './traffic-guest.js';

jest.setTimeout(120_000);

const MEGABYTE = 1024 ** 2;
const LARGE = 100 * MEGABYTE;

interface State {
  watchers: number;
  received: number;
  sent: number;
  gone: number;
}

describe('what passes through the way in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ingress-'));
  let bench: SchedulerBench;
  let port: number;
  let project: string;
  const hostOf = (service: string) => `${service}.dev.${project}.localhost:${port}`;

  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    request({
      ...{ host: '127.0.0.1', port, path, method, agent: false },
      headers: { host: hostOf('web'), ...headers },
    });
  async function answerOf(call: ReturnType<typeof ask>): Promise<IncomingMessage> {
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    return response;
  }
  const read = async (path: string) => text(await answerOf(ask(path).end()));
  const state = async () => JSON.parse(await read('/state')) as State;

  beforeAll(async () => {
    port = await freePort();
    bench = await SchedulerBench.start({
      BERTH_INGRESS_IMAGE: await testIngressImage(),
      ...{ BERTH_INGRESS_FOLDER: folder, BERTH_INGRESS_PORT: port },
    });
    bench.neighbours.images = {
      web: await nodeImage('traffic-http', HTTP_GUEST),
      rates: await nodeImage('traffic-h2c', H2C_GUEST),
    };
    const shop = await bench.shop();
    ({ project } = shop);
    const { id } = await bench.deploy(
      shop,
      `
services:
  web:
    image: web
    stop_grace_period: 1s
    x-berth: { http: 8080 }
  rates:
    image: rates
    stop_grace_period: 1s
    x-berth: { http: { port: 8080, protocol: h2c } }
`,
    );
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded', reason: null });
  });
  afterAll(async () => {
    await bench?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('WebSocket: messages both ways, and why it was closed', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: hostOf('web') } });
    await once(socket, 'open');
    for (const sent of ['hello', Buffer.alloc(MEGABYTE, 'x')]) {
      socket.send(sent);
      const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
      expect(data.equals(Buffer.from(sent))).toBe(true);
      expect(isBinary).toBe(Buffer.isBuffer(sent));
    }
    socket.close(4001);
    await once(socket, 'close');
    await eventually(async () => expect((await state()).gone).toBe(4001));
  });

  it('server-sent events: each as it comes, and the service hears that who listened is gone', async () => {
    const call = ask('/events').end();
    const events = await answerOf(call);
    let heard = '';
    events.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    events.on('error', () => undefined);
    await eventually(() => expect(heard).toBe('data: hello\n\n'));
    for (const event of ['1', '2']) {
      await read('/tell');
      await eventually(() => expect(heard.endsWith(`data: ${event}\n\n`)).toBe(true));
    }
    expect((await state()).watchers).toBe(1);
    call.destroy();
    await eventually(async () => expect((await state()).watchers).toBe(0));
  });

  it('HTTP/2 without TLS, to a service that speaks HTTP/1.1', async () => {
    const session = connect(`http://127.0.0.1:${port}`);
    const asked = ['a', 'b', 'c'].map(async (name) => {
      const stream = session.request({ ':authority': hostOf('web'), ':path': '/echo', 'x-name': name });
      return JSON.parse(await text(stream)) as Record<string, string>;
    });
    const answers = await Promise.all(asked);
    expect(answers.map((headers) => [headers.host, headers['x-name']])).toEqual(
      ['a', 'b', 'c'].map((name) => [hostOf('web'), name]),
    );
    session.close();
  });

  it('gRPC: a stream both ways at once, and its trailers', async () => {
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ...{ ':method': 'POST', ':authority': hostOf('rates'), ':path': '/rates.Rates/Watch' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    let trailers: Record<string, unknown> = {};
    stream.on('trailers', (told: Record<string, unknown>) => (trailers = told));
    let heard = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    for (const [sent, all] of [
      ['one', 'one'],
      ['two', 'onetwo'],
    ]) {
      stream.write(sent);
      await eventually(() => expect(heard).toBe(all));
    }
    stream.end();
    await once(stream, 'close');
    expect(trailers).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'fine' });
    session.close();
  });

  it('100 MB up and down, held nowhere', async () => {
    const chunk = Buffer.alloc(MEGABYTE, 'berth');
    const hash = createHash('sha256');
    const call = ask('/upload', 'POST', { 'content-length': String(LARGE) });
    const answer = answerOf(call);
    for (let sent = 1; sent <= LARGE / MEGABYTE; sent += 1) {
      hash.update(chunk);
      if (!call.write(chunk)) await once(call, 'drain');
      // Half of it has arrived while the other half was not sent yet.
      if (sent === 50) await eventually(async () => expect((await state()).received).toBe(LARGE / 2));
    }
    call.end();
    expect(JSON.parse(await text(await answer))).toEqual({ received: LARGE, hash: hash.digest('hex') });

    const download = await answerOf(ask('/download', 'GET', { 'x-bytes': String(LARGE) }).end());
    // Nobody reads yet: what was sent by now waits in buffers of a bounded size.
    expect((await state()).sent).toBeLessThan(LARGE / 2);
    let bytes = 0;
    for await (const part of download) bytes += (part as Buffer).length;
    expect(bytes).toBe(LARGE);
    const top = await docker('top', `berth-${bench.installation}-ingress`, '-o', 'pid,rss');
    expect(Number(top.trim().split(/\s+/).at(-1))).toBeLessThan(LARGE / 1024);
  });

  it('event streams that are open go on while a new service is made known, and do not hold that up', async () => {
    const call = ask('/events').end();
    call.on('error', () => undefined);
    const events = await answerOf(call);
    let heard = '';
    events.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
    events.on('error', () => undefined);
    const { id } = await bench.deploy(
      await bench.shop(),
      'services: { web: { image: web, stop_grace_period: 1s, x-berth: { http: 8080 } } }',
    );
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded', reason: null });
    await read('/tell');
    await eventually(() => expect(heard).toMatch(/data: hello\n\ndata: \d+\n\n/));
    call.destroy();
  });

  it('the access log says in JSON what was asked, under the id that both ends have seen', async () => {
    const mine = 'order-4711';
    const answers = [ask('/echo').end(), ask('/echo', 'GET', { 'x-correlation-id': mine }).end()];
    const [given, kept] = await Promise.all(
      answers.map(async (call) => {
        const response = await answerOf(call);
        const seen = JSON.parse(await text(response)) as Record<string, string>;
        expect(response.headers['x-correlation-id']).toBe(seen['x-correlation-id']);
        return seen['x-correlation-id'];
      }),
    );
    expect(given).toMatch(/^[0-9a-f-]{36}$/);
    expect(kept).toBe(mine);
    await eventually(() => {
      const lines = readFileSync(join(folder, 'access.log'), 'utf8').trim().split('\n');
      const entries = lines.map((line) => JSON.parse(line) as AccessLine);
      for (const id of [given, mine]) {
        const [entry] = entries.filter(
          ({ resp_headers: headers }) => headers['X-Correlation-Id']?.[0] === id,
        );
        expect(entry).toMatchObject({
          ...{ status: 200, duration: expect.any(Number) as number },
          request: { method: 'GET', uri: '/echo', host: hostOf('web') },
        });
      }
    });
  });
});

interface AccessLine {
  status: number;
  duration: number;
  request: { method: string; uri: string; host: string };
  resp_headers: Record<string, string[] | undefined>;
}
