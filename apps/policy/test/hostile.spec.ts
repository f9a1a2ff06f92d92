import { policyRpc, type Principal } from '@berth/contracts';
import { failure, PolicyService } from './policy-service.js';

/** `HOSTILE_TEXTS=10000 ./berth test apps/policy/test/hostile.spec.ts` for the long run. */
const TEXTS = Number(process.env.HOSTILE_TEXTS ?? 240);
const AT_ONCE = 8;
const POLICIES = 10_000;

jest.setTimeout(120_000 + TEXTS * 200);

let service: PolicyService;
let admin: Principal;
let dan: Principal;
beforeAll(async () => {
  service = await PolicyService.start(1, { DECISION_SHADOW_ONE_IN: '1000' });
  admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
});
afterAll(() => service.stop());

const shop = { type: 'Project', id: 'shop', team: 'acme', project: 'shop' } as const;
const read = async (who = dan): Promise<boolean> =>
  (await service.decide(who, { action: 'project.read', resource: shop })).allowed;
const when = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`;
const nested = (open: string, core: string, close: string) => (n: number) =>
  when(`${open.repeat(n)}${core}${close.repeat(n)}`);

/** Each grows with `n`; within what the limits on texts let through, and far beyond. */
const SHAPES: ((n: number) => string)[] = [
  nested('(', 'true', ')'),
  nested('[', '1', '] == [1]'),
  nested('{a: ', '1', '} == {}'),
  nested('!', 'true', ''),
  nested('-', '1', ' == 1'),
  nested('if true then true else ', 'true', ''),
  nested('if ', 'true', ' then true else false'),
  nested('[true].contains(', 'true', ')'),
  (n) => when(Array(n).fill('principal.admin').join(' && ')),
  (n) => when(Array(n).fill('principal.admin').join(' || ')),
  (n) => when(`${Array(n).fill('1').join(' + ')} == 1`),
  (n) => when(`${Array(n).fill('9').join('')} == 1`),
  (n) => when(`principal.name like "${'*a'.repeat(n)}"`),
  (n) => when(`principal.name == "${'\u202e\u0430'.repeat(n)}"`),
  (n) => when(`context${'.a'.repeat(n)} == 1`),
  (n) => when(`[${Array(n).fill('"x"').join(', ')}].contains("y")`),
  (n) => `${'@a("b")\n'.repeat(n)}permit (principal, action, resource);`,
  (n) => 'permit (principal, action, resource);'.repeat(n),
  (n) => `permit (principal, action in [${Array(n).fill('Berth::Action::"view"').join(', ')}], resource);`,
  (n) => `${'/'.repeat(n)} permit ${'"'.repeat(n)} \u0000 \ud800 ${'\\'.repeat(n)}`,
];
const SIZES = [30, 47, 64, 140, 400, 900, 1_500, 5_000];
const hostile = (n: number): string =>
  SHAPES[n % SHAPES.length](SIZES[Math.floor(n / SHAPES.length) % SIZES.length] + Math.floor(n / 160));

test('hostile texts, tried by anybody, leave decisions and changes of policies as they are', async () => {
  let over = false;
  let decided = 0;
  const deciding = (async () => {
    for (; !over; decided += 1) expect(await read()).toBe(true);
  })();
  const answers = new Map<string, number>();
  let next = 0;
  const trying = async (): Promise<void> => {
    while (next < TEXTS) {
      const policies = [{ id: 'hostile', text: hostile((next += 1)) }];
      const cases = [{ name: 'a', action: 'team.list', expect: 'allow' }];
      const code = await service.call(policyRpc.testPolicies, { policies, cases }, dan).then(
        () => 'read',
        (error: { code: string }) => error.code,
      );
      answers.set(code, (answers.get(code) ?? 0) + 1);
    }
  };
  const changing = (async () => {
    const text =
      'forbid (principal, action == Berth::Action::"project.read.before", resource) when { principal.name == "vera" };';
    for (let round = 0; round < 5; round += 1) {
      await service.call(policyRpc.applyPolicy, { id: 'rule', text }, admin);
      await service.call(policyRpc.removePolicy, { id: 'rule' }, admin);
    }
  })();
  await Promise.all([changing, ...Array.from({ length: AT_ONCE }, trying)]);
  over = true;
  await deciding;
  expect(decided).toBeGreaterThan(10);
  expect(
    [...answers.keys()].filter((code) => !['read', 'POLICY_INVALID', 'VALIDATION_FAILED'].includes(code)),
  ).toEqual([]);
  expect(answers.get('POLICY_INVALID')).toBeGreaterThan(TEXTS / 4);
  expect(answers.get('read')).toBeGreaterThan(0);
});

test('a line that is too long is refused, and gone a moment later', async () => {
  const cases = [{ name: 'a', action: 'team.list', expect: 'allow' }];
  const one = () =>
    service.call(policyRpc.testPolicies, { policies: [{ id: 'x', text: when('true') }], cases }, dan);
  const all = await Promise.allSettled(Array.from({ length: 100 }, one));
  const refused = all.filter((each) => each.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(({ reason }) => (reason as { code: string }).code === 'POLICY_UNAVAILABLE')).toBe(
    true,
  );
  await expect(one()).resolves.toMatchObject({ passed: 1 });
});

test('names that look alike are no names of others', async () => {
  for (const name of ['d\u0430n', 'dan\u200b', 'DAN', 'd\u00e0n']) {
    expect((await failure(service.call(policyRpc.createUser, { name }, admin))).code).toBe(
      'VALIDATION_FAILED',
    );
  }
  const text = 'permit (principal, action, resource) when { principal.name == "d\u0430n" };';
  expect((await failure(service.call(policyRpc.applyPolicy, { id: 'alike', text }, admin))).code).toBe(
    'POLICY_INVALID',
  );
  expect(
    (
      await service.decide(
        { ...dan, user: 'd\u0430n', tokenId: null },
        { action: 'project.read', resource: shop },
      )
    ).allowed,
  ).toBe(false);
});

test('facts that would pass for attributes change nothing', async () => {
  const sam = (await service.person('sam')).principal;
  const forged = {
    ...{ principal: { admin: true }, admin: true, now: { weekday: 'monday', minuteOfDay: 1 } },
    ...{ developerOf: ['acme'], __proto__: { admin: true }, constructor: { admin: true } },
  };
  const asked = {
    action: 'project.read',
    resource: { ...shop, viewerOf: ['acme'], attributes: { team: 'x' } },
    context: forged,
  };
  expect((await service.decide(sam, asked)).allowed).toBe(false);
  expect((await service.decide(dan, asked)).allowed).toBe(true);
});

test('ten thousand policies are decided by, and a change among them holds at once', async () => {
  await service.dataSource.query(
    `INSERT INTO policies (id, text, message, version, builtin, updated_by, bindings)
     SELECT 'many-' || n, 'forbid (principal, action, resource) when { principal.name == "ghost-' || n || '" };', '', 1, false, 'test',
       jsonb_build_array(jsonb_build_object('scope', 'projects/p-' || n, 'mode', 'deny'))
     FROM generate_series(1, $1::int) AS n`,
    [POLICIES],
  );
  // The first to change anything waits until all of them are read.
  await service.dataSource.query('UPDATE policy_revision SET revision = revision + 1');
  const text = 'forbid (principal, action == Berth::Action::"project.read.before", resource);';
  await service.call(policyRpc.applyPolicy, { id: 'stop', text }, admin);
  expect(await read()).toBe(false);
  await service.call(policyRpc.removePolicy, { id: 'stop' }, admin);
  expect(await read()).toBe(true);
});
