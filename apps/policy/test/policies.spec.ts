import { policyRpc, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { STARTING_POLICIES } from '../src/policies/starting-policies.js';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let dan: Principal;
beforeAll(async () => {
  service = await PolicyService.start(2);
  admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
});
afterAll(() => service.stop());

const resource = { type: 'Team', id: 'acme', team: 'acme' } as const;
const create = { action: 'project.create', resource, context: { name: 'web' } };
const frozen = `@id("freeze") @message("No new projects this week.")
forbid (principal, action == Berth::Action::"project.create.before", resource);`;
const apply = (id: string, text: string, who = admin) =>
  service.call(policyRpc.applyPolicy, { id, text }, who);
const remove = (id: string, who = admin) => service.call(policyRpc.removePolicy, { id }, who);

describe('policies', () => {
  it('are there from the start, each with its text and message', async () => {
    const { items } = await service.call(policyRpc.listPolicies, { limit: 200 }, dan);
    expect(items.map(({ id }) => id).sort()).toEqual([...STARTING_POLICIES.keys()].sort());
    expect(items.every(({ builtin, version, message }) => builtin && version === 1 && message)).toBe(true);
    expect(await service.call(policyRpc.getPolicy, { id: 'no-privileged' }, dan)).toMatchObject({
      message: 'No container may run privileged.',
    });
    expect((await failure(service.call(policyRpc.getPolicy, { id: 'ghost' }, dan))).code).toBe('NOT_FOUND');
  });

  it('hold from the moment that they were applied, in every instance, and no longer than until removed', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { version } = await apply('freeze', frozen);
      expect(version).toBe(2 * round + 1);
      const during = await Promise.all(Array.from({ length: 10 }, () => service.decide(dan, create)));
      for (const decision of during) {
        expect(decision).toMatchObject({
          allowed: false,
          policies: [{ id: 'freeze', message: 'No new projects this week.' }],
        });
      }
      await remove('freeze');
      const later = await Promise.all(Array.from({ length: 10 }, () => service.decide(dan, create)));
      expect(later.every(({ allowed }) => allowed)).toBe(true);
    }
  });

  it('count their versions, and are recorded with who changed them', async () => {
    const { version } = await apply('freeze', frozen);
    expect(await apply('freeze', frozen)).toMatchObject({
      ...{ version: version + 1, builtin: false, updatedBy: 'admin' },
    });
    await remove('freeze');
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({
          action: 'policy.apply',
          outcome: 'succeeded',
          actor: 'admin',
          resource: { type: 'Policy', id: 'freeze' },
          request: { id: 'freeze', effect: 'forbid', bindings: [] },
        }),
      ),
    );
    expect((await failure(remove('freeze'))).code).toBe('NOT_FOUND');
  });

  it('are changed by admins only, whose text alone is parsed', async () => {
    expect((await failure(apply('freeze', frozen, dan))).code).toBe('POLICY_DENIED');
    expect((await failure(apply('freeze', 'permit (((', dan))).code).toBe('POLICY_DENIED');
    expect((await failure(remove('no-privileged', dan))).code).toBe('POLICY_DENIED');
  });

  it('that do not hold are refused, with line and column', async () => {
    const error = await failure(
      apply('wrong', 'permit (principal, action, resource)\nwhen { principal.adminn };'),
    );
    expect(error).toMatchObject({
      code: 'POLICY_INVALID',
      extensions: { errors: [{ line: 2, column: 8, message: expect.stringContaining('adminn') as string }] },
    });
    expect(error.message).toContain('line 2, column 8');
  });

  it('do not take the names of the denials that Berth has itself', async () => {
    expect((await failure(apply('default-deny', frozen.replace('@id("freeze")', '')))).code).toBe(
      'POLICY_INVALID',
    );
  });

  it.each([
    [
      'permits that leave admins out',
      'admins',
      'permit (principal, action, resource) when { principal.name == "ada" };',
    ],
    ['a forbid of everything', 'stop', 'forbid (principal, action, resource);'],
    [
      'a forbid of removing it',
      'stay',
      'forbid (principal, action in Berth::Action::"policy.remove", resource);',
    ],
    [
      'a forbid that fails',
      'sum',
      'forbid (principal, action, resource) when { 9007199254740991 * 9007199254740991 == 0 };',
    ],
  ])('that would lock all admins out are refused: %s', async (_what, id, text) => {
    const error = await failure(apply(id, text));
    expect(error).toMatchObject({
      code: 'POLICY_INVALID',
      message: expect.stringContaining('no admin') as string,
    });
    expect((await service.decide(dan, create)).allowed).toBe(true);
  });

  it('that let admins in cannot be removed, the others can, and stay so after a restart', async () => {
    expect((await failure(remove('admins'))).code).toBe('POLICY_INVALID');
    await remove('no-low-ports');
    await service.addInstance();
    const { items } = await service.call(policyRpc.listPolicies, { limit: 200 }, admin);
    expect(items.map(({ id }) => id)).not.toContain('no-low-ports');
  });

  it('changed at once by many are all there, one after the other', async () => {
    const ids = Array.from({ length: 8 }, (_, n) => `note-${n}`);
    const text = 'permit (principal, action in Berth::Action::"anyone", resource);';
    await Promise.all(ids.map((id) => apply(id, text)));
    const { items } = await service.call(policyRpc.listPolicies, { limit: 200 }, admin);
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    for (const id of ids) await remove(id);
  });
});

describe('hostile text', () => {
  const when = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`;

  it.each([
    ['nested brackets', when(`${'('.repeat(20_000)}true${')'.repeat(20_000)}`)],
    ['nested brackets within the limit', when(`${'('.repeat(64)}true${')'.repeat(64)}`)],
    ['a chain', when(Array(900).fill('principal.admin').join(' && '))],
    ['calls upon calls', when(`[1]${'.contains(1)'.repeat(800)}`)],
    ['nothing but quotes', `permit ${'"'.repeat(60_000)}`],
    ['no text', '\u0000\ud800 permit'],
  ])('leaves decisions as they were: %s', async (_what, text) => {
    const deciding = Promise.all(Array.from({ length: 50 }, () => service.decide(dan, create)));
    await apply('hostile', text).catch((error: { code: string }) =>
      expect(error.code).toBe('POLICY_INVALID'),
    );
    expect((await deciding).every(({ allowed }) => allowed)).toBe(true);
    expect((await service.decide(dan, create)).allowed).toBe(true);
    await remove('hostile').catch((error: { code: string }) => expect(error.code).toBe('NOT_FOUND'));
  });
});

// What an upgrade may leave behind: a policy that this version's schema has outgrown.
describe('a stored policy that is broken', () => {
  const broken = 'forbid (principal, action, resource) when { principal.shoeSize > 3 };';

  it('denies everything, but to an admin who mends it', async () => {
    await service.dataSource.query(
      `INSERT INTO policies (id, text, message, version, builtin, updated_by) VALUES ('old', $1, 'old', 1, false, 'x')`,
      [broken],
    );
    await service.dataSource.query('UPDATE policy_revision SET revision = revision + 1');
    for (const who of [dan, admin]) {
      expect(await service.decide(who, create)).toMatchObject({
        allowed: false,
        policies: [{ id: 'policy-broken', message: expect.stringContaining('"old"') as string }],
      });
    }
    expect((await failure(remove('old', dan))).code).toBe('POLICY_DENIED');
    await remove('old');
    expect((await service.decide(dan, create)).allowed).toBe(true);
  });
});
