import {
  BerthError,
  instancesRpc,
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
    gateway.peers.on(instancesRpc.streamLogs, ({ stream }) => {
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
    gateway.peers.on(instancesRpc.streamLogs, ({ stream }) => {
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
    gateway.peers.on(instancesRpc.streamLogs, (request) => {
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
    gateway.peers.on(instancesRpc.streamLogs, ({ stream }) => {
      say(stream, { type: 'end', code: 'ENGINE_UNAVAILABLE', detail: 'The engine went away.' });
      return { stream };
    });
    const client = await follow();
    await client.ended;
    expect(client.data<Problem>('error')).toMatchObject([{ code: 'ENGINE_UNAVAILABLE', status: 503 }]);
  });

  test('is a problem, not a stream, for what may not be seen', async () => {
    gateway.peers.on(instancesRpc.streamLogs, () => {
      throw new BerthError('NOT_FOUND', 'There is no service "web", or you may not see it.');
    });
    const client = await follow();
    expect(client.status).toBe(404);
    expect(client.contentType).toMatch(/^application\/problem\+json/);
  });

  test('goes on with another scheduler when the one that sends stops, and repeats nothing', async () => {
    const asked: { stream: string; since?: string; tail: number | null; actor?: string }[] = [];
    gateway.peers.on(instancesRpc.streamLogs, ({ stream, since, tail }, { actor }) => {
      asked.push({ stream, since, tail, actor: actor?.user });
      return { stream };
    });
    const client = await follow();
    const [first] = asked;
    sayLine(first.stream, 'one');
    await eventually(() => expect(client.data('log')).toHaveLength(1));
    say(first.stream, { type: 'end', code: 'SERVICE_UNAVAILABLE', detail: 'It stops.' });
    await eventually(() => expect(asked).toHaveLength(2));
    // A little before the last line, all of it, and still for mira.
    expect(asked[1]).toMatchObject({ since: '2026-05-01T09:59:57.000Z', tail: null, actor: 'mira' });
    sayLine(asked[1].stream, 'one');
    sayLine(asked[1].stream, 'two');
    say(asked[1].stream, end);
    await client.ended;
    expect(client.data<LogLine>('log').map(({ line }) => line)).toEqual(['one', 'two']);
  });

  test('notices within seconds that nobody sends any more', async () => {
    const streams: string[] = [];
    gateway.peers.on(instancesRpc.streamLogs, ({ stream }) => {
      streams.push(stream);
      return { stream };
    });
    const client = await follow();
    sayLine(streams[0], 'one');
    const silentSince = Date.now();
    await eventually(() => expect(streams).toHaveLength(2), { timeout: 15_000 });
    expect(Date.now() - silentSince).toBeGreaterThan(9_000);
    say(streams[1], end);
    await client.ended;
    expect(client.data('error')).toEqual([]);
  }, 30_000);

  test('ends with what the scheduler says that takes its place', async () => {
    const streams: string[] = [];
    gateway.peers.on(instancesRpc.streamLogs, ({ stream }) => {
      streams.push(stream);
      if (streams.length > 1) throw new BerthError('NOT_FOUND', 'There is no service "web" any more.');
      return { stream };
    });
    const client = await follow();
    say(streams[0], { type: 'end', code: 'SERVICE_UNAVAILABLE', detail: 'It stops.' });
    await client.ended;
    expect(client.data<Problem>('error')).toMatchObject([{ code: 'NOT_FOUND' }]);
  });

  test('says that someone still listens, until nobody does', async () => {
    let alive = 0;
    gateway.peers.on(instancesRpc.streamLogs, ({ stream }) => {
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

describe('of an environment', () => {
  const ALL = '/v1/projects/shop/environments/dev/logs';
  const answer = (): void =>
    gateway.peers.on(instancesRpc.streamEnvironmentLogs, ({ stream }) => {
      sayLine(stream, 'one');
      say(stream, { type: 'alive' });
      say(stream, end);
      return { stream };
    });

  test.each([
    ['', null],
    ['?service=web', ['web']],
    ['?service=web&service=db', ['web', 'db']],
  ])('%s asks for these services', async (query, services) => {
    answer();
    const { status, body } = await gateway.api.get<Page<LogLine>>(ALL + query);
    expect([status, body.items]).toEqual([200, [lineOf('one')]]);
    expect(gateway.peers.requests[0].payload).toMatchObject({ services, follow: false, tail: 100 });
  });

  test.each(['service=UPPER', 'service=', 'service=web&service=a_b', 'tail=-1', 'since=yesterday', 'what=1'])(
    '%s is refused',
    async (query) => {
      const { status, body } = await gateway.api.get<Problem>(`${ALL}?${query}`);
      expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(gateway.peers.requests).toEqual([]);
    },
  );
});
