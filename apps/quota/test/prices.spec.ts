import { quotaRpc, type Principal, type SetPrices } from '@berth/contracts';
import { People } from './people.js';
import { QuotaServices, reservation } from './quota-services.js';

let quota: QuotaServices;
let people: People;
let ann: Principal;

beforeAll(async () => {
  [people, quota] = await Promise.all([People.start(), QuotaServices.start(1)]);
  await people.addTeam('acme');
  ann = await people.add('ann', { acme: 'developer' });
});
afterAll(async () => {
  await quota.stop();
  await people.stop();
});

const read = (actor: Principal) => people.rpc.call(quotaRpc.readPrices, {}, { actor });
const set = (actor: Principal, prices: SetPrices) => people.rpc.call(quotaRpc.setPrices, prices, { actor });
const costOf = async (scope: 'teams' | 'users', name: string) =>
  (await people.rpc.call(quotaRpc.get, { scope, name }, { actor: ann })).cost;

test('without prices nothing has a cost', async () => {
  await expect(read(ann)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await costOf('teams', 'acme')).toBeNull();
});

test('an admin sets them, and everybody sees what theirs costs from then on', async () => {
  const amounts = { cpu: 0.25, memory: 1.5 * 1024 ** 3, instances: 2 };
  await quota.run(reservation({ team: 'acme', user: 'ann', amounts }));
  const prices = { currency: 'EUR', cpu: 0.02, memory: 0.004 };
  expect(await set(people.admin, prices)).toMatchObject({ ...prices, setBy: people.admin.user });
  expect(await read(ann)).toMatchObject(prices);
  const cost = { currency: 'EUR', perHour: 0.011, perMonth: 8.03 };
  expect(await costOf('teams', 'acme')).toEqual(cost);
  expect(await costOf('users', 'ann')).toEqual(cost);
  await set(people.admin, { ...prices, currency: 'USD', cpu: 0.000001, memory: 0 });
  expect(await costOf('teams', 'acme')).toEqual({ currency: 'USD', perHour: 0, perMonth: 0 });
});

test('what was set before is kept', async () => {
  const kept = await quota.sql.query<{ currency: string }>('SELECT currency FROM prices ORDER BY version');
  expect(kept.rows.map(({ currency }) => currency)).toEqual(['EUR', 'USD']);
});

test('nobody else sets them, and what is no price is refused', async () => {
  const prices = { currency: 'EUR', cpu: 1, memory: 1 };
  await expect(set(ann, prices)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  for (const wrong of [{ currency: 'euro' }, { cpu: -1 }, { memory: 1e7 }])
    await expect(set(people.admin, { ...prices, ...wrong })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
});

test('a policy judges the amounts', async () => {
  await people.applyPolicy(
    'no-free-cores',
    'forbid (principal, action == Berth::Action::"price.set.before", resource) when { context.cpuMicros == 0 };',
  );
  const prices = { currency: 'EUR', cpu: 0, memory: 1 };
  await expect(set(people.admin, prices)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  expect(await set(people.admin, { ...prices, cpu: 0.5 })).toMatchObject({ cpu: 0.5 });
});
