import {
  BerthError,
  statsRpc,
  streamSubject,
  type InstanceStats,
  type Page,
  type Problem,
  type StreamMessage,
} from '@berth/contracts';
import { eventually } from '@berth/testing';
import { EXAMPLES } from '../src/openapi/examples.js';
import { startGateway, type TestGateway } from './gateway.js';
import { SseClient } from './sse-client.js';

let gateway: TestGateway;
const PATH = '/v1/projects/shop/environments/dev/stats';
const stats = EXAMPLES.InstanceStats as InstanceStats;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.peers.reset());

const say = (stream: string, ...messages: StreamMessage[]): void =>
  messages.forEach((message) =>
    gateway.peers.as('scheduler').publish(streamSubject(stream), JSON.stringify(message)),
  );
const end = { type: 'end', code: null, detail: null } as const;

test.each([
  ['', null],
  ['?service=web', ['web']],
])('%s is one look at these services', async (query, services) => {
  gateway.peers.on(statsRpc.stream, ({ stream }) => {
    say(stream, { type: 'stats', items: [stats] }, end);
    return { stream };
  });
  const { status, body } = await gateway.api.get<Page<InstanceStats>>(PATH + query);
  expect([status, body]).toEqual([200, { items: [stats], nextCursor: null }]);
  expect(gateway.peers.requests[0].payload).toMatchObject({ services, follow: false, project: 'shop' });
});

test('a denial is a problem, and so is an engine that is away', async () => {
  gateway.peers.on(statsRpc.stream, () => {
    throw new BerthError('POLICY_DENIED', 'No.');
  });
  expect((await gateway.api.get<Problem>(PATH)).body.code).toBe('POLICY_DENIED');
  gateway.peers.on(statsRpc.stream, ({ stream }) => {
    say(stream, { type: 'end', code: 'ENGINE_UNAVAILABLE', detail: 'It is away.' });
    return { stream };
  });
  expect((await gateway.api.get<Problem>(PATH)).status).toBe(503);
});

test('following brings each look, also from the scheduler that takes over', async () => {
  const streams: string[] = [];
  gateway.peers.on(statsRpc.stream, ({ stream }) => {
    streams.push(stream);
    say(stream, { type: 'stats', items: [{ ...stats, instance: `of-${streams.length}` }] });
    return { stream };
  });
  const client = await SseClient.open(`${gateway.url}${PATH}?follow=true`);
  const seen = () => client.data<{ items: InstanceStats[] }>('stats').map(({ items }) => items[0].instance);
  await eventually(() => expect(seen()).toEqual(['of-1']));
  say(streams[0], { type: 'end', code: 'SERVICE_UNAVAILABLE', detail: 'It stops.' });
  await eventually(() => expect(seen()).toEqual(['of-1', 'of-2']));
  say(streams[1], { type: 'end', code: 'POLICY_DENIED', detail: 'Not this one.' });
  await client.ended;
  expect(client.data<Problem>('error')).toMatchObject([{ code: 'POLICY_DENIED' }]);
});
