import { policyRpc, type PolicyTestReport, type Principal } from '@berth/contracts';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let dan: Principal;
beforeAll(async () => {
  service = await PolicyService.start();
  admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
});
afterAll(() => service.stop());

const test = (policies: object[], cases: object[], more = {}): Promise<PolicyTestReport> =>
  service.call(policyRpc.testPolicies, { policies, cases, ...more }, dan);
const noLatest = {
  id: 'no-latest',
  text: `@message("Not {context.tags}.")
forbid (principal, action == Berth::Action::"deployment.create.before", resource)
when { context.tags.contains("latest") };`,
};
const deploy = { name: 'a deploy', action: 'deployment.create' };
const latest = { ...deploy, context: { tags: ['latest'] }, expect: 'deny', policies: ['no-latest'] };

describe('cases', () => {
  it('try a forbid alone, with the facts that matter', async () => {
    expect(await test([noLatest], [latest, { ...deploy, expect: 'allow' }])).toMatchObject({
      ...{ passed: 2, failed: 0 },
      cases: [{ passed: true, allowed: false, policies: [{ message: 'Not latest.' }] }, { allowed: true }],
    });
  });

  it('say what is otherwise than expected', async () => {
    const { failed, cases } = await test(
      [noLatest],
      [
        { ...latest, name: 'one', expect: 'allow', policies: undefined },
        { ...latest, name: 'two', policies: ['other'] },
      ],
    );
    expect(failed).toBe(2);
    expect(cases.map(({ problem }) => problem)).toEqual([
      'expected allow, and it is deny by no-latest',
      'expected deny by other, and it is by no-latest',
    ]);
  });

  it('try a permit against nothing: what it does not permit is denied', async () => {
    const text =
      'permit (principal, action in Berth::Action::"team.create", resource) when { principal.kind == "service" };';
    const create = { name: 'x', action: 'team.create' };
    const cases = [
      { ...create, principal: { kind: 'service' }, expect: 'allow' },
      { ...create, expect: 'deny', policies: ['default-deny'] },
    ];
    expect((await test([{ id: 'makers', text }], cases)).failed).toBe(0);
  });

  it('try a policy together with those in force, in place of the one of its name', async () => {
    const member = { teams: { acme: 'developer' } };
    const cases = [
      { ...latest, principal: member },
      { ...deploy, principal: member, expect: 'allow', policies: ['team-developers'] },
      { ...deploy, expect: 'deny', policies: ['default-deny'] },
    ];
    expect((await test([noLatest], cases, { live: true })).failed).toBe(0);
    const nobody = {
      id: 'team-developers',
      text: 'permit (principal, action, resource) when { principal.name == "x" };',
    };
    expect((await test([nobody], [cases[1]], { live: true })).failed).toBe(1);
    expect(
      (
        await service.decide(dan, {
          action: 'environment.remove',
          resource: {
            type: 'Environment',
            id: 'shop.dev',
            team: 'acme',
            project: 'shop',
            environment: 'dev',
          },
          context: { volumes: false },
        })
      ).allowed,
    ).toBe(true);
  });

  it.each<[string, object, string]>([
    ['an action that there is not', { action: 'deployment.dance' }, 'deployment.dance'],
    ['a hook that it has not', { action: 'team.list', hook: 'after' }, 'no hook'],
    ['a fact that it has not', { context: { tag: 'latest' } }, 'no fact tag. There are: allReadOnly'],
    ['a fact of another type', { context: { tags: 'latest' } }, 'context.tags'],
    ['a resource that it is not done to', { resource: { type: 'Team' } }, 'Team'],
  ])('that ask for %s are refused', async (_what, more, told) => {
    const error = await failure(test([noLatest], [{ ...latest, ...more }]));
    expect(error).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringContaining(told) as string,
    });
    expect(error.message).toContain('"a deploy"');
  });

  it('of what is no policy are refused, and harm nobody', async () => {
    const text = `permit (principal, action, resource) when { ${'('.repeat(5_000)}true${')'.repeat(5_000)} };`;
    expect((await failure(test([{ id: 'x', text }], [latest]))).code).toBe('POLICY_INVALID');
    expect((await failure(test([noLatest, noLatest], [latest]))).code).toBe('VALIDATION_FAILED');
  });
});

describe('the library', () => {
  it('has texts that an admin can put in force, all of them together', async () => {
    const { items } = await service.call(policyRpc.listLibrary, {}, dan);
    expect(items.length).toBeGreaterThanOrEqual(12);
    for (const { id } of items) {
      const rendered = await service.call(policyRpc.renderLibraryPolicy, { entry: id, id: `lib-${id}` }, dan);
      await service.call(policyRpc.applyPolicy, rendered, admin);
    }
    const release = { from: 'dev', release: 'sha256:1', releasedBy: 'dan' };
    const resource = {
      type: 'Environment',
      id: 'shop.prod',
      team: 'acme',
      project: 'shop',
      environment: 'prod',
    } as const;
    const { policies } = await service.decide(dan, {
      action: 'deployment.promote',
      resource,
      context: release,
    });
    expect(policies.map(({ id }) => id)).toContain('lib-two-persons');
  });

  it('says what it has not', async () => {
    const render = (more: object) =>
      service.call(policyRpc.renderLibraryPolicy, { entry: 'images-from', ...more }, dan);
    expect((await failure(render({ entry: 'ghost' }))).code).toBe('NOT_FOUND');
    expect((await failure(render({ parameters: { other: 1 } }))).code).toBe('VALIDATION_FAILED');
    for (const registries of [['a"b'], ['a\\b'], ['a b'], 'x']) {
      expect((await failure(render({ parameters: { registries } }))).code).toBe('VALIDATION_FAILED');
    }
  });
});
