import {
  BerthError,
  schedulerRpc,
  streamAliveSubject,
  streamSubject,
  type LogLine,
  type Page,
  type Problem,
  type StreamMessage,
} from '@berth/contracts';
import { eventually } from '@berth/testing';
import { Streams } from '../src/streams/streams.js';
import { startGateway, type TestGateway } from './gateway.js';
import { SseClient } from './sse-client.js';

let gateway: TestGateway;
const PATH = '/v1/projects/shop/environments/dev/services/web/logs';

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.peers.reset());

const lineOf = (text: string): LogLine => ({
  time: '2026-05-01T10:00:00.000Z',
  service: 'web',
  instance: 'i1',
  stream: 'stdout',
  line: text,
});
const say = (stream: string, message: StreamMessage): void =>
  gateway.peers.as('scheduler').publish(streamSubject(stream), JSON.stringify(message));
const sayLine = (stream: string, text: string): void => say(stream, { type: 'line', line: lineOf(text) });
const end = { type: 'end', code: null, detail: null } as const;

describe('the past', () => {
  test('is a list, as many lines as were asked for', async () => {
    gateway.peers.on(schedulerRpc.streamLogs, ({ stream }) => {
      sayLine(stream, 'one');
      sayLine(stream, 'two');
      say(stream, end);
      return { stream };
    });
    const { status, body } = await gateway.api.get<Page<LogLine>>(
      `${PATH}?tail=2&since=2026-05-01T00:00:00Z`,
    );
    expect(status).toBe(200);
    expect(body).toEqual({ items: [lineOf('one'), lineOf('two')], nextCursor: null });
    const asked = { project: 'shop', environment: 'dev', service: 'web', follow: false, tail: 2 };
    expect(gateway.peers.requests[0].payload).toMatchObject({ ...asked, since: '2026-05-01T00:00:00Z' });
  });

  test('is a problem when the engine fails in the middle', async () => {
    gateway.peers.on(schedulerRpc.streamLogs, ({ stream }) => {
      sayLine(stream, 'one');
      say(stream, { type: 'end', code: 'ENGINE_UNAVAILABLE', detail: 'The engine went away.' });
      return { stream };
    });
    const { status, body } = await gateway.api.get<Problem>(PATH);
    expect([status, body.code, body.detail]).toEqual([503, 'ENGINE_UNAVAILABLE', 'The engine went away.']);
  });
});

describe('following', () => {
  const follow = (): Promise<SseClient> => SseClient.open(`${gateway.url}${PATH}?follow=true`);

  test('brings each line as it is written, and ends with the service', async () => {
    let stream = '';
    gateway.peers.on(schedulerRpc.streamLogs, (request) => {
      stream = request.stream;
      // Before the answer: nothing is lost in between.
      sayLine(stream, 'early');
      return { stream };
    });
    const client = await follow();
    await eventually(() => expect(client.data<LogLine>('log').map(({ line }) => line)).toEqual(['early']));
    sayLine(stream, 'late');
    say(stream, end);
    await client.ended;
    expect(client.data<LogLine>('log')).toEqual([lineOf('early'), lineOf('late')]);
    expect(client.events.at(-1)?.event).toBe('end');
  });

  test('ends with a problem when the stream breaks', async () => {
    gateway.peers.on(schedulerRpc.streamLogs, ({ stream }) => {
      say(stream, { type: 'end', code: 'ENGINE_UNAVAILABLE', detail: 'The engine went away.' });
      return { stream };
    });
    const client = await follow();
    await client.ended;
    expect(client.data<Problem>('error')).toMatchObject([{ code: 'ENGINE_UNAVAILABLE', status: 503 }]);
  });

  test('is a problem, not a stream, for what may not be seen', async () => {
    gateway.peers.on(schedulerRpc.streamLogs, () => {
      throw new BerthError('NOT_FOUND', 'There is no service "web", or you may not see it.');
    });
    const client = await follow();
    expect(client.status).toBe(404);
    expect(client.contentType).toMatch(/^application\/problem\+json/);
  });

  test('says that someone still listens, until nobody does', async () => {
    let alive = 0;
    gateway.peers.on(schedulerRpc.streamLogs, ({ stream }) => {
      gateway.peers.as('scheduler').subscribe(streamAliveSubject(stream), { callback: () => void alive++ });
      return { stream };
    });
    const client = await follow();
    // Once at the beginning, then every ten seconds.
    await eventually(() => expect(alive).toBe(1));
    client.leave();
    await eventually(() => expect(gateway.app.get(Streams).size).toBe(0));
  });
});
