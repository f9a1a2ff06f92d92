import { randomUUID } from 'node:crypto';
import {
  eventSubject,
  policyRpc,
  type EventPlace,
  type PolicyBinding,
  type Principal,
} from '@berth/contracts';
import { eventually } from '@berth/testing';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let dan: Principal;
beforeAll(async () => {
  service = await PolicyService.start(2);
  admin = await service.admin();
  for (const name of ['acme', 'other']) await service.call(policyRpc.createTeam, { name }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
  const text = `@message("{resource.name} stays.")
forbid (principal, action == Berth::Action::"environment.remove.before", resource);`;
  await service.call(policyRpc.applyPolicy, { id: 'freeze', text }, admin);
});
afterAll(() => service.stop());

const remove = async (name: string) => {
  const resource = {
    type: 'Environment',
    id: `shop.${name}`,
    team: 'acme',
    project: 'shop',
    environment: name,
  } as const;
  const { allowed, policies, advice } = await service.decide(dan, {
    action: 'environment.remove',
    resource,
    context: { volumes: false },
  });
  return { allowed, policies: policies.map(({ id }) => id), advice };
};
const reason = 'Until the move is done.';
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
const except = (more = {}, who = admin) =>
  service.call(
    policyRpc.exceptPolicy,
    { id: 'freeze', scope: 'environments/shop.dev', owner: 'dan', reason, expiresAt: inAnHour(), ...more },
    who,
  );
const end = (exception: string, who = admin) =>
  service.call(policyRpc.endPolicyException, { id: 'freeze', exception }, who);
const list = async (more = {}) =>
  (await service.call(policyRpc.listPolicyExceptions, { limit: 50, ...more }, dan)).items;

describe('an exception', () => {
  it('has a policy deny nothing in its scope, in every instance at once, and tells what it would have denied', async () => {
    expect((await remove('dev')).allowed).toBe(false);
    const heard = service.hear('policy.excepted.v1');
    const exception = await except();
    expect(exception).toMatchObject({
      policy: 'freeze',
      status: 'holds',
      owner: 'dan',
      createdBy: 'admin',
      reason,
    });
    for (let round = 0; round < 10; round += 1) {
      expect(await remove('dev')).toMatchObject({
        allowed: true,
        advice: [{ id: 'freeze', mode: 'excepted', message: 'shop.dev stays.' }],
      });
    }
    expect(await remove('prod')).toEqual({ allowed: false, policies: ['freeze'], advice: [] });
    await eventually(() =>
      expect(heard).toEqual([
        expect.objectContaining({ data: expect.objectContaining({ id: exception.id, reason }) as unknown }),
      ]),
    );
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({
          action: 'policy.except',
          actor: 'admin',
          request: expect.objectContaining({
            scope: 'environments/shop.dev',
            owner: 'dan',
            reason,
          }) as unknown,
        }),
      ),
    );
    await end(exception.id);
    expect((await remove('dev')).allowed).toBe(false);
    expect((await failure(end(exception.id))).code).toBe('NOT_FOUND');
  });

  it('ends by itself: no decision is taken by it a moment later, in no instance', async () => {
    const expiresAt = new Date(Date.now() + 1_500);
    await except({ expiresAt: expiresAt.toISOString() });
    expect((await remove('dev')).allowed).toBe(true);
    await eventually(() => expect(Date.now()).toBeGreaterThan(expiresAt.getTime()));
    const after = await Promise.all(Array.from({ length: 20 }, () => remove('dev')));
    expect(after.every(({ allowed }) => !allowed)).toBe(true);
  });

  it('of a wider scope holds in what stands in it; two of them may overlap', async () => {
    const [team, project] = [await except({ scope: 'teams/acme' }), await except({ scope: 'projects/shop' })];
    expect((await remove('prod')).allowed).toBe(true);
    await end(team.id);
    expect((await remove('prod')).advice).toHaveLength(1);
    await end(project.id);
    expect((await remove('prod')).allowed).toBe(false);
  });

  it('takes nothing from other policies, nor from what must be permitted', async () => {
    const also = `forbid (principal, action == Berth::Action::"environment.remove.before", resource);`;
    await service.call(policyRpc.applyPolicy, { id: 'also', text: also }, admin);
    const { id } = await except();
    expect(await remove('dev')).toMatchObject({ allowed: false, policies: ['also'] });
    await service.call(policyRpc.removePolicy, { id: 'also' }, admin);
    await end(id);
  });

  it('is listed for all to see, also when it is over', async () => {
    const { id } = await except();
    expect((await list()).map((one) => one.id)).toEqual([id]);
    expect(await list({ policy: 'no-privileged' })).toEqual([]);
    const all = await list({ all: true });
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['holds', 'ended', 'expired']));
    const page = await service.call(policyRpc.listPolicyExceptions, { limit: 1, all: true }, dan);
    const cursor = page.nextCursor ?? '';
    const next = await service.call(policyRpc.listPolicyExceptions, { limit: 1, all: true, cursor }, dan);
    expect([...page.items, ...next.items].map((one) => one.id)).toEqual(all.slice(0, 2).map((one) => one.id));
    await end(id);
  });

  it.each<[string, object, string]>([
    ['of all the platform', { scope: 'platform' }, 'VALIDATION_FAILED'],
    [
      'without an end in sight',
      { expiresAt: new Date(Date.now() + 400 * 86_400_000).toISOString() },
      'VALIDATION_FAILED',
    ],
    ['that is over', { expiresAt: new Date(Date.now() - 1_000).toISOString() }, 'VALIDATION_FAILED'],
    ['without a reason', { reason: '   because   ' }, 'VALIDATION_FAILED'],
    ['that nobody answers for', { owner: 'ghost' }, 'NOT_FOUND'],
    ['for a team that is not there', { scope: 'teams/ghost' }, 'NOT_FOUND'],
    ['from a policy that is not there', { id: 'ghost' }, 'NOT_FOUND'],
  ])('%s is refused', async (_what, more, code) => {
    expect((await failure(except(more))).code).toBe(code);
  });

  it('is granted by admins only, and not by whoever wants it', async () => {
    expect((await failure(except({}, dan))).code).toBe('POLICY_DENIED');
  });
});

describe('what was excepted and is removed', () => {
  const removed = (type: string, place: EventPlace, data: object, time = new Date()) =>
    service.publish(eventSubject(type, place), {
      ...{ specversion: '1.0', id: randomUUID(), source: '/berth/scheduler', type, data },
      ...{ time: time.toISOString(), datacontenttype: 'application/json' },
    });
  const statusOf = async (id: string) => (await list({ all: true })).find((each) => each.id === id)?.status;

  it('takes its exceptions along, in every instance, and no other', async () => {
    const heard = service.hear('policy.exception_ended.v1');
    const gone = await except({ scope: 'environments/shop.old' });
    const others = [
      await except({ scope: 'environments/shop.dev' }),
      await except({ scope: 'projects/shop' }),
    ];
    expect((await remove('old')).allowed).toBe(true);
    await removed(
      'environment.removed.v1',
      { team: 'acme', project: 'shop', environment: 'old' },
      { name: 'old', project: 'shop' },
    );
    await eventually(async () => expect(await statusOf(gone.id)).toBe('ended'));
    expect((await list({ all: true })).find(({ id }) => id === gone.id)).toMatchObject({ endedBy: 'berth' });
    await eventually(() => expect(heard).toMatchObject([{ data: { id: gone.id } }]));
    for (const { id } of others) expect(await statusOf(id)).toBe('holds');

    await removed('project.removed.v1', { team: 'acme', project: 'shop' }, { name: 'shop' });
    await eventually(async () => expect(await statusOf(others[1].id)).toBe('ended'));
    expect(await statusOf(others[0].id)).toBe('holds');
    await end(others[0].id);
    for (let round = 0; round < 10; round += 1) expect((await remove('old')).allowed).toBe(false);
  });

  it('takes along what was permitted there, and leaves what was forbidden', async () => {
    const sam = (await service.person('sam', { team: 'other', role: 'developer' })).principal;
    const read = async () =>
      (
        await service.decide(sam, {
          action: 'project.read',
          resource: { type: 'Project', id: 'lent', team: 'acme', project: 'lent' },
        })
      ).allowed;
    const apply = (id: string, text: string, bindings: PolicyBinding[]) =>
      service.call(policyRpc.applyPolicy, { id, text, bindings }, admin);
    const get = (id: string) => service.call(policyRpc.getPolicy, { id }, admin);
    const here: PolicyBinding = { scope: 'projects/lent', mode: 'deny' };
    const there: PolicyBinding = { scope: 'projects/shop', mode: 'deny' };
    const sams = `principal == Berth::User::"${sam.user}", action == Berth::Action::"project.read.before", resource`;
    await apply('lent', `permit (${sams});`, [here, there]);
    await apply('held', 'forbid (principal, action == Berth::Action::"project.remove.before", resource);', [
      here,
    ]);
    expect(await read()).toBe(true);
    const heard = service.hear('policy.applied.v1');
    const place = { team: 'acme', project: 'lent' };
    await removed('project.removed.v1', place, { name: 'lent' }, new Date(Date.now() + 1_000));
    await eventually(async () => expect((await get('lent')).bindings).toEqual([there]));
    for (let round = 0; round < 10; round += 1) expect(await read()).toBe(false);
    expect(await get('lent')).toMatchObject({ version: 2, updatedBy: 'berth' });
    expect(await get('held')).toMatchObject({ version: 1, bindings: [here] });
    await eventually(() =>
      expect(heard).toMatchObject([{ data: { id: 'lent', change: 'bound', bindings: [there] } }]),
    );
    // What is bound after it is for the next of its name.
    await service.call(policyRpc.bindPolicy, { id: 'lent', bindings: [here] }, admin);
    await removed('project.removed.v1', place, { name: 'lent' }, new Date(Date.now() - 60_000));
    const marker = await except({ scope: 'projects/marker' });
    const later = new Date(Date.now() + 1_000);
    await removed('project.removed.v1', { team: 'acme', project: 'marker' }, { name: 'marker' }, later);
    await eventually(async () => expect(await statusOf(marker.id)).toBe('ended'));
    expect(await read()).toBe(true);
    for (const id of ['lent', 'held']) await service.call(policyRpc.removePolicy, { id }, admin);
  });

  it('leaves what was made for the next one of its name, however late it is heard of', async () => {
    const { id } = await except({ scope: 'projects/shop' });
    const marker = await except({ scope: 'projects/other' });
    const before = new Date(Date.now() - 60_000);
    await removed('project.removed.v1', { team: 'acme', project: 'shop' }, { name: 'shop' }, before);
    await removed(
      'project.removed.v1',
      { team: 'acme', project: 'other' },
      { name: 'other' },
      new Date(Date.now() + 1_000),
    );
    await eventually(async () => expect(await statusOf(marker.id)).toBe('ended'));
    expect(await statusOf(id)).toBe('holds');
    await end(id);
  });
});
