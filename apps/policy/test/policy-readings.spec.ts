import { policyRpc } from '@berth/contracts';
import { CedarProcess } from '../src/cedar/cedar-process.js';
import { PolicyCompiler } from '../src/cedar/policy-compiler.js';
import { PolicyReadings } from '../src/cedar/policy-readings.js';
import { PolicyService } from './policy-service.js';

const TEXT =
  '@message("Not now.")\nforbid (principal, action == Berth::Action::"project.read.before", resource);';

let service: PolicyService;
const cedar = new CedarProcess();
beforeAll(async () => {
  service = await PolicyService.start();
});
afterAll(async () => {
  await cedar.close();
  await service.stop();
});

/** One that has read nothing yet, as at the start of an instance. */
const anew = (): PolicyCompiler => new PolicyCompiler(cedar, new PolicyReadings(service.dataSource));
const messageNow = async (): Promise<string | undefined> =>
  (await anew().compileSet(new Map([['stop', TEXT]]))).policies.get('stop')?.message;
const change = (assignment: string): Promise<unknown> =>
  service.dataSource.query(
    `UPDATE policy_readings SET ${assignment} WHERE policy->'annotations'->>'message' = 'Not now.'`,
  );

test('a text that was found valid is not read again by another instance', async () => {
  await service.call(policyRpc.applyPolicy, { id: 'stop', text: TEXT }, await service.admin());
  const [{ count }] = await service.dataSource.query<{ count: string }[]>(
    'SELECT count(*) FROM policy_readings',
  );
  const [{ policies }] = await service.dataSource.query<{ policies: string }[]>(
    'SELECT count(DISTINCT text) AS policies FROM policies',
  );
  expect(count).toBe(policies);
  // Only who does not read the text itself can tell this.
  await change(`policy = jsonb_set(policy::jsonb, '{annotations,message}', '"As it was read."')::json`);
  expect(await messageNow()).toBe('As it was read.');
});

test('another Cedar or schema reads for itself, and what nobody reads any more goes', async () => {
  await service.dataSource.query(
    `UPDATE policy_readings SET reader = 'another', kept_at = now() - interval '2 days'`,
  );
  expect(await messageNow()).toBe('Not now.');
  const readers = await service.dataSource.query<{ reader: string }[]>(
    'SELECT DISTINCT reader FROM policy_readings',
  );
  expect(readers).toHaveLength(1);
  expect(readers[0].reader).toMatch(/^[0-9a-f]{64}$/);
});

test('what was read before is held to the rules of now', async () => {
  const deep = `{"!": {"arg": `.repeat(60) + '{"Value": true}' + '}}'.repeat(60);
  await change(
    `policy = jsonb_set(policy::jsonb, '{conditions}', '[{"kind": "when", "body": ${deep}}]')::json`,
  );
  const { policies, broken } = await anew().compileSet(new Map([['stop', TEXT]]));
  expect(policies.size).toBe(0);
  expect(broken.get('stop')).toMatch(/stand 6\d expressions deep/);
});

test('what is not valid is kept by nobody', async () => {
  const texts = new Map([
    ['unknown', 'permit (principal, action, resource) when { principal.nothing };'],
    ['fine', 'permit (principal, action, resource) when { principal.admin };'],
  ]);
  const before = await service.dataSource.query<unknown[]>('SELECT 1 FROM policy_readings');
  const { policies, broken } = await anew().compileSet(texts);
  expect([[...policies.keys()], [...broken.keys()]]).toEqual([['fine'], ['unknown']]);
  const after = await service.dataSource.query<unknown[]>('SELECT 1 FROM policy_readings');
  expect(after).toHaveLength(before.length + 1);
});
