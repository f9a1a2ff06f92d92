import { policyRpc, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
beforeAll(async () => {
  // Two instances: a question after a change comes to one that did not make it, sooner or later.
  service = await PolicyService.start(2);
  admin = await service.admin();
  for (const name of ['acme', 'other']) await service.call(policyRpc.createTeam, { name }, admin);
});
afterAll(() => service.stop());

const project = { type: 'Project', id: 'shop', team: 'acme', project: 'shop' } as const;
const ASKED = 24;

/** What both instances answer: each is asked several times. */
async function answers(who: Principal): Promise<boolean> {
  const asked = Array.from({ length: ASKED }, () =>
    service.decide(who, { action: 'project.read', resource: project }),
  );
  const given = new Set((await Promise.all(asked)).map(({ allowed }) => allowed));
  expect(given.size).toBe(1);
  return given.has(true);
}

test('every change of who somebody is holds for the next decision of every instance', async () => {
  const { principal: dan } = await service.person('dan');
  const set = (team: string, role: string) =>
    service.call(policyRpc.setMember, { team, user: 'dan', role }, admin);
  for (let round = 0; round < 5; round += 1) {
    expect(await answers(dan)).toBe(false);
    await set('acme', 'viewer');
    expect(await answers(dan)).toBe(true);
    await service.call(policyRpc.removeMember, { team: 'acme', user: 'dan' }, admin);
    expect(await answers(dan)).toBe(false);
    await set('other', 'maintainer');
  }
  await set('acme', 'developer');
  expect(await answers(dan)).toBe(true);
  await service.call(policyRpc.revokeToken, { id: dan.tokenId }, admin);
  expect(await answers(dan)).toBe(false);
});

test('what was changed by hand in the database holds as well', async () => {
  const { principal: eve } = await service.person('eve', { team: 'acme', role: 'viewer' });
  expect(await answers(eve)).toBe(true);
  const sql = (text: string) => service.dataSource.query(text);
  await sql(`UPDATE tokens SET scopes = '{team.read}' WHERE user_name = 'eve'`);
  expect(await answers(eve)).toBe(false);
  await sql(`UPDATE tokens SET scopes = '{*}' WHERE user_name = 'eve'`);
  expect(await answers(eve)).toBe(true);
  await sql(`DELETE FROM members WHERE user_name = 'eve'`);
  expect(await answers(eve)).toBe(false);
  await sql(`UPDATE users SET admin = true WHERE name = 'eve'`);
  expect(await answers(eve)).toBe(true);
  await service.call(policyRpc.removeUser, { user: 'eve' }, admin);
  expect(await answers(eve)).toBe(false);
});

test('a token that is known ends when its time has come', async () => {
  const { principal: kim } = await service.person('kim', { team: 'acme', role: 'viewer' });
  await service.dataSource.query(
    `UPDATE tokens SET expires_at = now() + interval '1 second' WHERE user_name = 'kim'`,
  );
  expect(await answers(kim)).toBe(true);
  await eventually(async () => expect(await answers(kim)).toBe(false));
});

test('a change that is not committed holds for nobody', async () => {
  const { principal: una } = await service.person('una', { team: 'acme', role: 'viewer' });
  const runner = service.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query(`DELETE FROM members WHERE user_name = 'una'`);
  expect(await answers(una)).toBe(true);
  await runner.commitTransaction();
  await runner.release();
  expect(await answers(una)).toBe(false);
});
