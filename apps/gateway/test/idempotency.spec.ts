import { type KV, Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { BerthError, policyRpc, type Problem } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { startGateway, type TestGateway } from './gateway.js';
import { mira } from './peers.js';

let gateway: TestGateway;
let keys = 0;
const TIME = '2026-05-01T10:00:00.000Z';

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.peers.reset();
  gateway.peers.on(policyRpc.createTeam, ({ name }) => ({ name, createdAt: TIME }));
});

const newKey = (): string => `key-${++keys}`;
const create = (key: string, body: unknown = { name: 'acme' }) =>
  gateway.api.post<Problem & { name: string }>('/v1/teams', body, { 'idempotency-key': key });

test('the same request with the same key is done once and answered the same', async () => {
  const key = newKey();
  const first = await create(key);
  const second = await create(key);
  expect(gateway.peers.requests).toHaveLength(1);
  expect([second.status, second.body]).toEqual([201, first.body]);
  expect(second.headers.get('location')).toBe('/v1/teams/acme');
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(second.headers.get('idempotency-replayed')).toBe('true');
});

test('the same key with another body is refused', async () => {
  const key = newKey();
  await create(key);
  const other = await create(key, { name: 'other' });
  expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  expect(gateway.peers.requests).toHaveLength(1);
});

test('the same key is another one on another path, and for another user', async () => {
  const key = newKey();
  await create(key);
  gateway.peers.on(policyRpc.createUser, () => ({
    name: 'ci',
    kind: 'user' as const,
    team: null,
    admin: false,
    createdAt: TIME,
  }));
  expect((await gateway.api.post('/v1/users', { name: 'ci' }, { 'idempotency-key': key })).status).toBe(201);
  gateway.peers.on(policyRpc.authenticate, () => ({ ...mira, user: 'noor' }));
  expect((await create(key)).headers.get('idempotency-replayed')).toBeNull();
  expect(gateway.peers.requests).toHaveLength(3);
});

test('while it is under way, the same request is told so', async () => {
  const key = newKey();
  let finish = (): void => undefined;
  const busy = new Promise<void>((resolve) => (finish = resolve));
  gateway.peers.on(policyRpc.createTeam, async ({ name }) => {
    await busy;
    return { name, createdAt: TIME };
  });
  const first = create(key);
  await eventually(() => expect(gateway.peers.requests).toHaveLength(1));
  const second = await create(key);
  expect([second.status, second.body.code]).toEqual([409, 'IDEMPOTENCY_IN_FLIGHT']);
  finish();
  expect((await first).status).toBe(201);
  expect((await create(key)).headers.get('idempotency-replayed')).toBe('true');
});

test('whoever held a key and died loses it when the lease is over', async () => {
  const key = newKey();
  let finish = (): void => undefined;
  const busy = new Promise<void>((resolve) => (finish = resolve));
  gateway.peers.on(policyRpc.createTeam, async ({ name }) => {
    await busy;
    return { name, createdAt: TIME };
  });
  const first = create(key);
  await eventually(() => expect(gateway.peers.requests).toHaveLength(1));
  await withBucket(async (bucket) => {
    for await (const name of await bucket.keys()) {
      const kept = (await bucket.get(name))?.json<{ state: string; until: number }>();
      if (kept?.state === 'running')
        await bucket.put(name, JSON.stringify({ ...kept, until: Date.now() - 1 }));
    }
  });
  const second = create(key);
  await eventually(() => expect(gateway.peers.requests).toHaveLength(2));
  finish();
  expect([(await first).status, (await second).status]).toEqual([201, 201]);
  expect((await create(key)).headers.get('idempotency-replayed')).toBe('true');
});

test('of many at once one is done', async () => {
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(key)));
  expect(gateway.peers.requests).toHaveLength(1);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
});

test('a refusal is kept', async () => {
  const key = newKey();
  gateway.peers.on(policyRpc.createTeam, () => {
    throw new BerthError('ALREADY_EXISTS', 'There is a team "acme".', { team: 'acme' });
  });
  await create(key);
  const again = await create(key);
  expect([again.status, again.body.code, again.body.team]).toEqual([409, 'ALREADY_EXISTS', 'acme']);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body.correlationId).toBe(again.headers.get('x-correlation-id'));
  expect(gateway.peers.requests).toHaveLength(1);
});

test('a failure on our side is not: the same key may try again', async () => {
  const key = newKey();
  gateway.peers.on(policyRpc.createTeam, () => {
    throw new BerthError('POLICY_UNAVAILABLE', 'Policy gave no answer.');
  });
  expect((await create(key)).status).toBe(503);
  gateway.peers.on(policyRpc.createTeam, ({ name }) => ({ name, createdAt: TIME }));
  const again = await create(key);
  expect(again.status).toBe(201);
  expect(again.headers.get('idempotency-replayed')).toBeNull();
});

test('a token is issued once, and its secret is kept nowhere', async () => {
  const issued = {
    id: '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0d',
    user: 'mira',
    name: 'token',
    scopes: ['*'],
    createdAt: TIME,
    expiresAt: TIME,
    revokedAt: null,
    token: 'berth_very_secret',
  };
  gateway.peers.on(policyRpc.createToken, () => issued);
  const headers = { 'idempotency-key': newKey() };
  const first = await gateway.api.post('/v1/tokens', {}, headers);
  expect([first.status, first.body]).toEqual([201, issued]);
  const second = await gateway.api.post<Problem>('/v1/tokens', {}, headers);
  expect([second.status, second.body.code]).toEqual([409, 'CONFLICT']);
  expect(gateway.peers.requests).toHaveLength(1);
  expect(await keptTexts()).not.toContain('berth_very_secret');
});

test.each(['', 'with space', 'x'.repeat(256)])('the key %j is none', async (key) => {
  const { status, body } = await create(key);
  expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
});

async function keptTexts(): Promise<string> {
  return withBucket(async (bucket) => {
    const texts: string[] = [];
    for await (const name of await bucket.keys()) texts.push((await bucket.get(name))?.string() ?? '');
    expect(texts.length).toBeGreaterThan(0);
    return texts.join('\n');
  });
}

/** The bucket, with the gateway's own credentials. */
async function withBucket<T>(work: (bucket: KV) => Promise<T>): Promise<T> {
  const connection = await connect(gateway.nats.as('gateway'));
  try {
    return await work(await new Kvm(connection).open('idempotency'));
  } finally {
    await connection.close();
  }
}
