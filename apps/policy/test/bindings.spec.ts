import { policyRpc, type PolicyBinding, type Principal } from '@berth/contracts';
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
  await service.call(policyRpc.setMember, { team: 'other', user: 'dan', role: 'developer' }, admin);
});
afterAll(() => service.stop());

const environment = (project: string, name: string, team = 'acme') => {
  const id = `${project}.${name}`;
  return { type: 'Environment', id, team, project, environment: name } as const;
};
/** Whether dan may do it there, with the policies that deny or advise. */
const ask = async (
  resource: ReturnType<typeof environment>,
): Promise<{ allowed: boolean; denied: string[]; advice: string[] }> => {
  const { allowed, policies, advice } = await service.decide(dan, {
    action: 'environment.remove',
    resource,
    context: { volumes: false },
  });
  const denied = allowed ? [] : policies.map(({ id }) => id);
  return { allowed, denied, advice: advice.map(({ id, mode }) => `${id} ${mode}`) };
};
const freeze = `@id("freeze") @owner("platform-team")
@message("{principal.name} may not remove {resource.name}.")
forbid (principal, action == Berth::Action::"environment.remove.before", resource);`;
const apply = (id: string, text: string, bindings?: PolicyBinding[], more = {}) =>
  service.call(policyRpc.applyPolicy, { id, text, bindings, ...more }, admin);
const bind = (id: string, bindings: PolicyBinding[], more = {}) =>
  service.call(policyRpc.bindPolicy, { id, bindings, ...more }, admin);
const remove = (id: string) => service.call(policyRpc.removePolicy, { id }, admin);

describe('a binding', () => {
  afterEach(() => remove('freeze').catch(() => undefined));
  const places = [
    environment('shop', 'dev'),
    environment('shop', 'prod'),
    environment('blog', 'dev'),
    environment('web', 'dev', 'other'),
  ];

  it.each<[scope: string, holds: boolean[]]>([
    ['platform', [true, true, true, true]],
    ['teams/acme', [true, true, true, false]],
    ['projects/shop', [true, true, false, false]],
    ['environments/shop.prod', [false, true, false, false]],
  ])('to %s holds there, and nowhere else', async (scope, holds) => {
    await apply('freeze', freeze, [{ scope, mode: 'deny' }]);
    const denied = await Promise.all(places.map(async (place) => (await ask(place)).denied));
    expect(denied).toEqual(holds.map((here) => (here ? ['freeze'] : [])));
  });

  it('holds for the scope itself, not only for what stands in it', async () => {
    await apply('freeze', freeze.replaceAll('environment.remove', 'project.read'), [
      { scope: 'projects/shop', mode: 'deny' },
    ]);
    const read = (id: string) =>
      service.decide(dan, {
        action: 'project.read',
        resource: { type: 'Project', id, team: 'acme', project: id },
      });
    expect([(await read('shop')).allowed, (await read('blog')).allowed]).toEqual([false, true]);
  });

  it('that warns or is a dry run denies nothing, and says what it would have denied', async () => {
    await apply('freeze', freeze, [
      { scope: 'platform', mode: 'dry-run' },
      { scope: 'projects/shop', mode: 'warn' },
      { scope: 'environments/shop.prod', mode: 'deny' },
    ]);
    expect(await Promise.all(places.slice(0, 3).map(ask))).toEqual([
      { allowed: true, denied: [], advice: ['freeze warn'] },
      { allowed: false, denied: ['freeze'], advice: [] },
      { allowed: true, denied: [], advice: ['freeze dry-run'] },
    ]);
    const { advice } = await service.decide(dan, {
      action: 'environment.remove',
      resource: places[0],
      context: { volumes: false },
    });
    expect(advice).toEqual([{ id: 'freeze', mode: 'warn', message: 'dan may not remove shop.dev.' }]);
    await eventually(async () =>
      expect(
        await service.dataSource.query(
          `SELECT allowed, advice FROM decisions WHERE action = 'environment.remove' AND resource->>'id' = 'blog.dev' AND advice <> '[]'`,
        ),
      ).toContainEqual({
        allowed: true,
        advice: [{ id: 'freeze', mode: 'dry-run', message: 'dan may not remove blog.dev.' }],
      }),
    );
  });

  it('of an inner scope can forbid more, and never allow what an outer one forbids', async () => {
    await apply('freeze', freeze);
    await apply('thaw', 'permit (principal, action in Berth::Action::"environment.remove", resource);', [
      { scope: 'environments/shop.dev', mode: 'deny' },
    ]);
    expect((await ask(places[0])).denied).toEqual(['freeze']);
    await remove('thaw');
  });

  it('of a permit gives nothing where it does not deny', async () => {
    const sam = (await service.person('sam')).principal;
    const create = {
      action: 'team.create',
      resource: { type: 'Platform', id: 'berth' } as const,
      context: { name: 'x' },
    };
    const permit = 'permit (principal, action in Berth::Action::"team.create", resource);';
    await apply('let-all', permit, [{ scope: 'platform', mode: 'warn' }]);
    expect(await service.decide(sam, create)).toMatchObject({ allowed: false, advice: [] });
    await bind('let-all', [{ scope: 'platform', mode: 'deny' }]);
    expect((await service.decide(sam, create)).allowed).toBe(true);
    await remove('let-all');
  });

  it('that fails where it only advises says so, and denies nothing', async () => {
    const sum = 'forbid (principal, action, resource) when { 9007199254740991 * 9007199254740991 == 0 };';
    await apply('freeze', sum, [{ scope: 'teams/acme', mode: 'warn' }]);
    const { allowed, advice } = await service.decide(dan, {
      action: 'environment.remove',
      resource: places[0],
      context: { volumes: false },
    });
    expect(allowed).toBe(true);
    expect(advice).toEqual([
      { id: 'freeze', mode: 'warn', message: expect.stringContaining('could not be evaluated') as string },
    ]);
  });

  it('is changed alone, or ended, and the policy stays', async () => {
    expect(await apply('freeze', freeze)).toMatchObject({
      owner: 'platform-team',
      bindings: [{ scope: 'platform', mode: 'deny' }],
    });
    const bindings = [{ scope: 'teams/other', mode: 'warn' } as const];
    const bound = await bind('freeze', bindings);
    expect(bound).toMatchObject({ bindings, text: freeze });
    expect(await apply('freeze', freeze)).toMatchObject({ bindings, version: bound.version + 1 });
    await bind('freeze', []);
    expect(await Promise.all(places.map(async (place) => (await ask(place)).denied))).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });

  it('to what is not there, and of what is not there, is refused', async () => {
    const ghost = [{ scope: 'teams/ghost', mode: 'deny' } as const];
    expect((await failure(apply('freeze', freeze, ghost))).code).toBe('NOT_FOUND');
    expect((await failure(bind('ghost', []))).code).toBe('NOT_FOUND');
    for (const scope of ['team/acme', 'teams/', 'environments/shop', 'projects/a.b', 'everywhere']) {
      expect((await failure(apply('freeze', freeze, [{ scope, mode: 'deny' }]))).code).toBe(
        'VALIDATION_FAILED',
      );
    }
    const twice = [...ghost, ...ghost];
    expect((await failure(apply('freeze', freeze, twice))).code).toBe('VALIDATION_FAILED');
  });

  it('may not lock the admins out', async () => {
    expect((await failure(bind('admins', []))).code).toBe('POLICY_INVALID');
    expect((await failure(bind('admins', [{ scope: 'platform', mode: 'warn' }]))).code).toBe(
      'POLICY_INVALID',
    );
    expect((await failure(bind('admins', [{ scope: 'teams/acme', mode: 'deny' }]))).code).toBe(
      'POLICY_INVALID',
    );
  });
});

describe('versions', () => {
  const versions = async (id: string) =>
    (await service.call(policyRpc.listPolicyVersions, { id, limit: 200 }, dan)).items;
  const rollBack = (id: string, version?: number, more = {}) =>
    service.call(policyRpc.rollBackPolicy, { id, version, ...more }, admin);

  it('are kept of each change, with who made it, also when the policy is gone', async () => {
    const warn = [{ scope: 'teams/acme', mode: 'warn' } as const];
    await apply('kept', freeze.replace('"freeze"', '"kept"'));
    await bind('kept', warn);
    await apply('kept', freeze.replace('"freeze"', '"kept"').replace('may not', 'must not'));
    await remove('kept');
    const all = await versions('kept');
    expect(all.map(({ version, change, by }) => [version, change, by])).toEqual([
      [4, 'removed', 'admin'],
      [3, 'applied', 'admin'],
      [2, 'bound', 'admin'],
      [1, 'applied', 'admin'],
    ]);
    expect(all[0]).toMatchObject({ text: null, bindings: [] });
    expect(all[1]).toMatchObject({ text: expect.stringContaining('must not') as string, bindings: warn });
    const revisions = all.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((left, right) => right - left));
  });

  it('come in pages', async () => {
    const page = await service.call(policyRpc.listPolicyVersions, { id: 'kept', limit: 3 }, dan);
    const cursor = page.nextCursor ?? '';
    const rest = await service.call(policyRpc.listPolicyVersions, { id: 'kept', limit: 3, cursor }, dan);
    expect([...page.items, ...rest.items].map(({ version }) => version)).toEqual([4, 3, 2, 1]);
    const forged = Buffer.from(JSON.stringify({ version: 'x' })).toString('base64url');
    const asked = { id: 'kept', limit: 3, cursor: forged };
    expect((await failure(service.call(policyRpc.listPolicyVersions, asked, dan))).code).toBe(
      'CURSOR_INVALID',
    );
  });

  it('are brought back as new ones, of a removed policy too, and hold at once', async () => {
    expect(await rollBack('kept')).toMatchObject({
      version: 5,
      text: expect.stringContaining('must not') as string,
      bindings: [{ scope: 'teams/acme', mode: 'warn' }],
    });
    expect((await ask(environment('shop', 'dev'))).advice).toEqual(['kept warn']);
    expect(await rollBack('kept', 1)).toMatchObject({
      version: 6,
      bindings: [{ scope: 'platform', mode: 'deny' }],
    });
    expect((await ask(environment('shop', 'dev'))).denied).toEqual(['kept']);
    expect((await failure(rollBack('kept', 4))).code).toBe('CONFLICT');
    expect((await failure(rollBack('kept', 77))).code).toBe('NOT_FOUND');
    expect((await failure(rollBack('ghost'))).code).toBe('NOT_FOUND');
    expect((await failure(service.call(policyRpc.rollBackPolicy, { id: 'kept' }, dan))).code).toBe(
      'POLICY_DENIED',
    );
    await remove('kept');
  });

  it('may be expected: a change of what someone else has changed meanwhile is refused', async () => {
    await apply('guarded', freeze.replace('"freeze"', '"guarded"'), [], { expectedVersion: 0 });
    const again = apply('guarded', freeze.replace('"freeze"', '"guarded"'), [], { expectedVersion: 0 });
    expect(await failure(again)).toMatchObject({ code: 'CONFLICT', extensions: { version: 1 } });
    const both = await Promise.allSettled([
      bind('guarded', [], { expectedVersion: 1 }),
      bind('guarded', [], { expectedVersion: 1 }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await failure(rollBack('guarded', 1, { expectedVersion: 1 }))).code).toBe('CONFLICT');
    await remove('guarded');
  });
});

describe('messages', () => {
  const told = (message: string, scope = 'action == Berth::Action::"environment.create.before"') =>
    apply('told', `@message("${message}")\nforbid (principal, ${scope}, resource);`, [
      { scope: 'projects/told', mode: 'deny' },
    ]);

  it('hold values of what is asked, however it was written', async () => {
    await told('{principal.name}: {context.name}, {context.variables}, {resource.project}, {action} {curly}');
    const hostile = `A\u001b[31m\nB`;
    const { policies } = await service.decide(dan, {
      action: 'environment.create',
      resource: { type: 'Project', id: 'told', team: 'acme', project: 'told' },
      context: { name: hostile, services: [], variables: Array.from({ length: 12 }, (_, n) => `V${n}`) },
    });
    expect(policies.find(({ id }) => id === 'told')?.message).toBe(
      'dan: A\uFFFD[31m\uFFFDB, V0, V1, V2, V3, V4, V5, V6, V7, V8, V9 and 2 more, told, environment.create {curly}',
    );
  });

  it.each([
    ['{context.nmae}', 15],
    ['{principal.age}', 15],
    ['{resource.size}', 15],
  ])('that speak of what there is not are refused: %s', async (placeholder, column) => {
    const error = await failure(told(`No: ${placeholder}`));
    expect(error).toMatchObject({ code: 'POLICY_INVALID', extensions: { errors: [{ line: 1, column }] } });
    expect(error.message).toContain(placeholder);
  });
});

describe('formatting', () => {
  const format = (text: string) => service.call(policyRpc.formatPolicy, { text }, dan);

  it('lays out the text, and keeps its comments', async () => {
    const { text } = await format('// why\npermit(principal,action,resource)when{principal.admin};');
    expect(text).toBe('// why\npermit (principal, action, resource)\nwhen { principal.admin };\n');
    expect(await format(text)).toEqual({ text });
  });

  it('refuses what is no policy, also what would end its reader', async () => {
    expect((await failure(format('permit (principal'))).code).toBe('POLICY_INVALID');
    const nested = `permit (principal, action, resource) when { ${'('.repeat(20_000)}true${')'.repeat(20_000)} };`;
    expect((await failure(format(nested))).code).toBe('POLICY_INVALID');
  });
});
