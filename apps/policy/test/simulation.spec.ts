import { randomUUID } from 'node:crypto';
import { policyRpc, type PolicySimulation, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let dan: Principal;
let vera: Principal;
beforeAll(async () => {
  service = await PolicyService.start(2);
  admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
  vera = (await service.person('vera', { team: 'acme', role: 'viewer' })).principal;
});
afterAll(() => service.stop());

const environment = (name: string) =>
  ({ type: 'Environment', id: `shop.${name}`, team: 'acme', project: 'shop', environment: name }) as const;
const remove = (who: Principal, name: string) =>
  service.decide(who, {
    action: 'environment.remove',
    resource: environment(name),
    context: { volumes: false },
  });
/** Decisions are kept within a second, by each instance for itself. */
const kept = (count: number): Promise<void> =>
  eventually(async () => {
    const [{ found }]: { found: number }[] = await service.dataSource.query(
      `SELECT count(*)::int AS found FROM decisions WHERE action = 'environment.remove'`,
    );
    expect(found).toBe(count);
  });
const simulate = (changes: object[], more = {}): Promise<PolicySimulation> =>
  service.call(policyRpc.simulatePolicies, { changes, ...more }, admin);
const freeze = `@message("{principal.name} keeps {resource.name}.")
forbid (principal, action == Berth::Action::"environment.remove.before", resource);`;
const viewersRemove = `permit (principal, action in Berth::Action::"environment.remove", resource)
when { principal.viewerOf.contains(resource.team) };`;

describe('a simulation', () => {
  beforeAll(async () => {
    for (let round = 0; round < 3; round += 1) await remove(dan, 'prod');
    await remove(dan, 'dev');
    await remove(vera, 'dev');
    await kept(5);
  });

  it('tells who would be denied, what they would be told, and changes nothing', async () => {
    const found = await simulate([{ id: 'freeze', text: freeze }]);
    expect(found).toMatchObject({ denied: 4, allowed: 0, warned: 0, cut: false, left: 0 });
    expect(found.replayed).toBeGreaterThan(5);
    expect(found.impacts).toEqual([
      expect.objectContaining({
        ...{ effect: 'denied', principal: 'dan', action: 'environment.remove', hook: 'before' },
        ...{ resource: environment('prod'), count: 3 },
        policies: [{ id: 'freeze', message: 'dan keeps shop.prod.' }],
      }),
      expect.objectContaining({ resource: environment('dev'), count: 1 }),
    ]);
    expect((await remove(dan, 'prod')).allowed).toBe(true);
    await kept(6);
    expect((await failure(service.call(policyRpc.getPolicy, { id: 'freeze' }, admin))).code).toBe(
      'NOT_FOUND',
    );
  });

  it('tells what would be allowed', async () => {
    expect(await simulate([{ id: 'viewers-remove', text: viewersRemove }])).toMatchObject({
      ...{ denied: 0, allowed: 1 },
      impacts: [{ effect: 'allowed', principal: 'vera', policies: [{ id: 'viewers-remove' }] }],
    });
  });

  it('tells what would only be warned of, within the scope', async () => {
    const bindings = [{ scope: 'environments/shop.dev', mode: 'warn' }];
    expect(await simulate([{ id: 'freeze', text: freeze, bindings }])).toMatchObject({
      // Vera is denied anyway, and would be told of this too.
      ...{ denied: 0, allowed: 0, warned: 2 },
      impacts: [{ effect: 'warned' }, { effect: 'warned' }],
    });
  });

  it('tells what a removal or another binding would do, and several changes together', async () => {
    const gone = await simulate([{ id: 'team-developers', text: null }]);
    expect(gone.denied).toBeGreaterThanOrEqual(4);
    expect(gone.impacts[0]).toMatchObject({ principal: 'dan', policies: [{ id: 'default-deny' }] });
    const unbound = await simulate([{ id: 'team-developers', bindings: [] }]);
    expect(unbound.denied).toBe(gone.denied);
    const replaced = [
      { id: 'team-developers', text: null },
      { id: 'viewers-remove', text: viewersRemove },
    ];
    expect(await simulate(replaced)).toMatchObject({ allowed: 1 });
  });

  it('takes those that were asked for, and says when there are others', async () => {
    const newest = await simulate([{ id: 'freeze', text: freeze }], { limit: 2 });
    expect(newest).toMatchObject({ cut: true });
    expect(newest.replayed + newest.skipped).toBe(2);
    const future = new Date(Date.now() + 60_000).toISOString();
    expect(await simulate([{ id: 'freeze', text: freeze }], { since: future })).toMatchObject({
      ...{ replayed: 0, skipped: 0, cut: false, impacts: [] },
    });
  });

  it('leaves out what policies did not decide, and whoever is gone', async () => {
    const before = await simulate([{ id: 'freeze', text: freeze }]);
    await service.decide(
      { ...dan, tokenId: randomUUID() },
      { action: 'environment.remove', resource: environment('dev'), context: { volumes: false } },
    );
    await service.decide(
      { ...dan, user: 'ghost', tokenId: null },
      { action: 'environment.remove', resource: environment('dev'), context: { volumes: false } },
    );
    await kept(8);
    const after = await simulate([{ id: 'freeze', text: freeze }]);
    expect(after.denied).toBe(before.denied);
    expect(after.skipped).toBe(before.skipped + 2);
  });

  it('of what is no policy, or not there, is refused; so is whoever may not look', async () => {
    expect((await failure(simulate([{ id: 'x', text: 'permit (' }]))).code).toBe('POLICY_INVALID');
    expect((await failure(simulate([{ id: 'ghost', bindings: [] }]))).code).toBe('NOT_FOUND');
    const asked = service.call(
      policyRpc.simulatePolicies,
      { changes: [{ id: 'freeze', text: freeze }] },
      dan,
    );
    expect((await failure(asked)).code).toBe('POLICY_DENIED');
  });
});

describe('an explanation', () => {
  const explain = (decision: string, who = admin) =>
    service.call(policyRpc.explainDecision, { decision }, who);

  it('says which policies hold, and which nearly do, and why not', async () => {
    const { id } = await remove(vera, 'prod');
    const found = await explain(id, vera);
    expect(found).toMatchObject({
      ...{ decision: id, principal: 'vera', action: 'environment.remove', hook: 'before', allowed: false },
      policies: [{ id: 'default-deny' }],
      now: { allowed: false },
    });
    const maintainers = found.applying.find(({ id: policy }) => policy === 'team-maintainers');
    const developers = found.applying.find(({ id: policy }) => policy === 'team-developers');
    const nearly = developers ?? maintainers;
    expect(nearly).toMatchObject({
      ...{ effect: 'permit', scope: 'platform', mode: 'deny', holds: false, left: 0 },
      conditions: [
        { text: 'resource has team', outcome: 'holds', error: null },
        {
          text: expect.stringMatching(/principal\.\w+Of\.contains\(resource\.team\)/) as string,
          outcome: 'fails',
        },
      ],
    });
    expect(found.applying.map(({ id: policy }) => policy)).not.toContain('everyone');
  });

  it('is of what holds first, with the scope that it holds in', async () => {
    await service.call(
      policyRpc.applyPolicy,
      {
        id: 'freeze',
        text: freeze,
        bindings: [
          { scope: 'projects/shop', mode: 'deny' },
          { scope: 'projects/blog', mode: 'deny' },
        ],
      },
      admin,
    );
    const { id } = await remove(dan, 'prod');
    const { applying, policies } = await explain(id);
    expect(policies).toEqual([{ id: 'freeze', message: 'dan keeps shop.prod.' }]);
    expect(applying[0]).toMatchObject({
      id: 'freeze',
      scope: 'projects/shop',
      holds: true,
      message: 'dan keeps shop.prod.',
    });
    expect(applying).toContainEqual(
      expect.objectContaining({ id: 'freeze', scope: 'projects/blog', holds: false }),
    );
    await service.call(policyRpc.removePolicy, { id: 'freeze' }, admin);
    expect((await explain(id)).now).toMatchObject({ allowed: true });
  });

  it('is for whoever asked, and for admins', async () => {
    const { id } = await remove(dan, 'prod');
    expect((await explain(id, dan)).allowed).toBe(true);
    expect((await failure(explain(id, vera))).code).toMatch(/POLICY_DENIED|NOT_FOUND/);
    expect((await failure(explain(randomUUID()))).code).toBe('NOT_FOUND');
  });
});
