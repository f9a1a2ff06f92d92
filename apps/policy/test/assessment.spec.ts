import { policyRpc, type Assessment } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
beforeAll(async () => {
  service = await PolicyService.start();
  const admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  await service.person('dan', { team: 'acme', role: 'developer' });
  const forbid = (condition: string) =>
    `forbid (principal, action == Berth::Action::"project.read.before", resource) ${condition};`;
  await service.call(
    policyRpc.applyPolicy,
    { id: 'no-dark', text: forbid('when { resource.name == "dark" }') },
    admin,
  );
  await service.call(
    policyRpc.applyPolicy,
    {
      id: 'grey',
      text: forbid('when { resource.name == "grey" }'),
      bindings: [{ scope: 'platform', mode: 'warn' }],
    },
    admin,
  );
});
afterAll(() => service.stop());

const question = (project: string, principal = 'dan') => ({
  ...{ action: 'project.read', hook: 'before', principal, context: {} },
  resource: { type: 'Project', id: project, team: 'acme', project },
});
const assess = async (...questions: unknown[]): Promise<Assessment[]> =>
  (await service.call(policyRpc.assess, { questions })).assessments;

test('says of each question what the policies in force would say, in order', async () => {
  const [shop, dark, grey, gone] = await assess(
    question('shop'),
    question('dark'),
    question('grey'),
    question('shop', 'ghost'),
  );
  expect(shop).toMatchObject({ allowed: true, policies: [{ id: 'team-viewers' }], advice: [] });
  expect(dark).toMatchObject({ allowed: false, policies: [{ id: 'no-dark' }] });
  expect(grey).toMatchObject({ allowed: true, advice: [{ id: 'grey', mode: 'warn' }] });
  expect(gone).toMatchObject({ allowed: false, policies: [{ id: 'principal-unknown' }] });
});

test('leaves no decision, and refuses what cannot be asked', async () => {
  await assess(...Array.from({ length: 60 }, () => question('shop')));
  // One that counts is kept, and those before it would have been.
  const { principal } = await service.person('eve', { team: 'acme', role: 'viewer' });
  const { id } = await service.decide(principal, {
    action: 'team.read',
    resource: { type: 'Team', id: 'acme', team: 'acme' },
  });
  await eventually(async () =>
    expect(await service.dataSource.query('SELECT FROM decisions WHERE id = $1', [id])).toHaveLength(1),
  );
  const rows: unknown[] = await service.dataSource.query(
    `SELECT FROM decisions WHERE action = 'project.read'`,
  );
  expect(rows).toEqual([]);
  for (const odd of [{ action: 'no.such' }, { hook: 'after' }, { resource: { type: 'Team', id: 'acme' } }]) {
    expect((await failure(assess({ ...question('shop'), ...odd }))).code).toBe('VALIDATION_FAILED');
  }
});
