import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import {
  quotaRpc,
  type AuditRecord,
  type CloudEvent,
  type Principal,
  type Quota,
  type QuotaScope,
} from '@berth/contracts';
import { eventually, testNats } from '@berth/testing';
import { People } from './people.js';
import { QuotaServices, reservation } from './quota-services.js';

const GIB = 1024 ** 3;

describe('limits', () => {
  let quota: QuotaServices;
  let people: People;
  let listener: NatsConnection;
  const events: CloudEvent[] = [];
  let ann: Principal;
  let olga: Principal;
  let nobody: Principal;

  beforeAll(async () => {
    [people, quota] = await Promise.all([People.start(), QuotaServices.start(1)]);
    for (const team of ['acme', 'other']) await people.addTeam(team);
    ann = await people.add('ann', { acme: 'maintainer' });
    olga = await people.add('olga', { other: 'viewer' });
    nobody = await people.add('nobody');
    listener = await connect(await testNats('observer'));
    listener.subscribe('berth.events.>', { callback: (_error, message) => void events.push(message.json()) });
    await listener.flush();
  });
  afterAll(async () => {
    await listener.close();
    await quota.stop();
    await people.stop();
  });
  beforeEach(() => quota.sql.query('TRUNCATE limits, reservations'));

  const set = (
    actor: Principal,
    scope: QuotaScope,
    name: string,
    limits: object,
    team?: string,
  ): Promise<Quota> => people.rpc.call(quotaRpc.set, { scope, name, team, limits }, { actor });
  const get = (actor: Principal, scope: QuotaScope, name: string, team?: string): Promise<Quota> =>
    people.rpc.call(quotaRpc.get, { scope, name, team }, { actor });
  const list = (actor: Principal, request: { limit?: number; cursor?: string } = {}) =>
    people.rpc.call(quotaRpc.list, request, { actor });

  it('are set as people write them, and shown with what is used', async () => {
    await quota.run(reservation({ amounts: { cpu: 0.25, memory: GIB, instances: 2 } }));
    const answer = {
      scope: 'teams',
      name: 'acme',
      limits: { cpu: 4, memory: '8GiB', instances: 5 },
      used: { cpu: 0.25, memory: '1GiB', instances: 2 },
      cost: null,
    };
    const limits = { cpu: 4, memory: '8GiB', instances: 5 };
    expect(await set(people.admin, 'teams', 'acme', limits)).toEqual(answer);
    expect(await get(ann, 'teams', 'acme')).toEqual(answer);
    await eventually(() =>
      expect(events).toContainEqual(expect.objectContaining({ type: 'quota.set.v1', data: answer })),
    );
  });

  it('hold from then on', async () => {
    await set(people.admin, 'environments', 'shop.dev', { memory: '64MiB' }, 'acme');
    expect(await quota.reserve(reservation({ amounts: { memory: 65 * 1024 ** 2 } }))).toMatchObject({
      reserved: false,
      limits: [{ scope: 'environments', name: 'shop.dev', dimension: 'memory', limit: 64 * 1024 ** 2 }],
    });
  });

  it('are replaced as a whole, and gone when none is left', async () => {
    await set(people.admin, 'users', 'ann', { cpu: 1, instances: 3 });
    expect((await set(people.admin, 'users', 'ann', { instances: 4 })).limits).toEqual({ instances: 4 });
    expect((await set(people.admin, 'users', 'ann', {})).limits).toEqual({});
    expect((await list(people.admin)).items).toEqual([]);
  });

  it('are refused where they make no sense, with the field named', async () => {
    const refused = (path: string) => ({ code: 'VALIDATION_FAILED', extensions: { fields: [{ path }] } });
    const { admin } = people;
    await expect(set(admin, 'teams', 'acme', { memory: 'lots' })).rejects.toMatchObject(
      refused('limits.memory'),
    );
    await expect(set(admin, 'teams', 'acme', { cpu: -1 })).rejects.toMatchObject(refused('limits.cpu'));
    await expect(set(admin, 'teams', 'acme', { disk: 1 })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(set(admin, 'teams', 'No Name', {})).rejects.toMatchObject(refused('name'));
    await expect(set(admin, 'environments', 'shop', {}, 'acme')).rejects.toMatchObject(refused('name'));
  });

  it('are shown to those whose they are, and to no one else', async () => {
    await set(people.admin, 'teams', 'acme', { instances: 1 });
    await set(people.admin, 'teams', 'other', { instances: 2 });
    await set(people.admin, 'projects', 'shop', { instances: 3 }, 'acme');
    await set(people.admin, 'environments', 'shop.dev', { instances: 4 }, 'acme');
    await set(people.admin, 'users', 'ann', { instances: 5 });
    await set(people.admin, 'users', 'nobody', { instances: 6 });
    const namesFor = async (actor: Principal): Promise<string[]> =>
      (await list(actor)).items.map(({ scope, name }) => `${scope}/${name}`);
    expect(await namesFor(ann)).toEqual([
      'environments/shop.dev',
      'projects/shop',
      'teams/acme',
      'users/ann',
    ]);
    expect(await namesFor(olga)).toEqual(['teams/other']);
    expect(await namesFor(nobody)).toEqual(['users/nobody']);
    expect(await namesFor(people.admin)).toHaveLength(6);

    expect((await get(ann, 'users', 'ann')).limits).toEqual({ instances: 5 });
    for (const [scope, name, team] of [
      ['teams', 'acme', undefined],
      ['users', 'ann', undefined],
      ['projects', 'shop', 'acme'],
      ['environments', 'shop.dev', 'acme'],
    ] as const) {
      await expect(get(olga, scope, name, team)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  it('are listed in pages', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `team-${n}`);
    for (const name of names) await set(people.admin, 'teams', name, { instances: 1 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(people.admin, { limit: 2, cursor });
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(names);
    await expect(list(people.admin, { cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });

  it('are for admins to set: a denial changes nothing, says why, and is recorded', async () => {
    await expect(set(ann, 'teams', 'acme', { instances: 100 })).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      status: 403,
    });
    expect((await list(people.admin)).items).toEqual([]);
    await eventually(async () =>
      expect(await records()).toContainEqual(
        expect.objectContaining({
          ...{ source: 'quota', action: 'quota.set', outcome: 'denied', actor: 'ann', team: 'acme' },
          request: { instances: 100 },
        }),
      ),
    );
  });

  it('need a token', async () => {
    await expect(people.rpc.call(quotaRpc.list, {}, { actor: null })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('are neither shown nor set while policy is away', async () => {
    await people.policy.kill();
    try {
      await expect(set(people.admin, 'teams', 'acme', {})).rejects.toMatchObject({
        code: 'POLICY_UNAVAILABLE',
      });
      await expect(get(people.admin, 'teams', 'acme')).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    } finally {
      await people.policy.start();
    }
  });

  const taken: AuditRecord[] = [];
  /** All records that services have sent so far. */
  async function records(): Promise<AuditRecord[]> {
    const connection = await connect(await testNats('audit'));
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      await manager.consumers.add('RECORDS', { durable_name: 'spec', ack_policy: AckPolicy.Explicit });
      const consumer = await jetstream(connection).consumers.get('RECORDS', 'spec');
      const pull = await consumer.fetch({ max_messages: 1_000, expires: 1_000 });
      for await (const message of pull) {
        taken.push(message.json<AuditRecord>());
        message.ack();
        if (message.info.pending === 0) break;
      }
      return taken;
    } finally {
      await connection.close();
    }
  }
});
