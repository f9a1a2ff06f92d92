import { policyRpc, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { Client } from 'pg';
import { DecisionRetention } from '../src/decisions/decision-retention.js';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let dan: Principal;
let sam: Principal;
beforeAll(async () => {
  service = await PolicyService.start();
  admin = await service.admin();
  for (const name of ['acme', 'other']) await service.call(policyRpc.createTeam, { name }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
  sam = (await service.person('sam', { team: 'other', role: 'maintainer' })).principal;
});
afterAll(() => service.stop());

const shop = { type: 'Project', id: 'shop', team: 'acme', project: 'shop' } as const;
const read = { action: 'project.read', resource: shop };

const CUT_OFF = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = $1 AND application_name LIKE 'berth-policy%'`;

describe('decisions over NATS', () => {
  it('say which policies allowed it, by which revision', async () => {
    expect(await service.decide(dan, read)).toMatchObject({
      allowed: true,
      visible: true,
      policies: [{ id: 'team-viewers' }],
      revision: 1,
    });
  });

  it('that deny are told of in events, with nothing of the facts', async () => {
    const heard = service.hear('decision.denied.v1');
    expect((await service.decide(dan, read)).allowed).toBe(true);
    const { id } = await service.decide(sam, { ...read, resource: { ...shop, id: 'told' } });
    const odd = { ...read, resource: { ...shop, id: 'odd', team: 'no. name >' } };
    await service.decide(sam, odd);
    await eventually(() =>
      expect(heard.map(({ data }) => data)).toEqual([
        {
          ...{ decision: id, revision: 1, action: 'project.read', hook: 'before', principal: 'sam' },
          resource: { type: 'Project', id: 'told' },
          policies: [{ id: 'default-deny', message: 'Needs the role "viewer" in team "acme".' }],
        },
        expect.objectContaining({ resource: { type: 'Project', id: 'odd' } }),
      ]),
    );
  });

  it('keep from others that it exists', async () => {
    expect(await service.decide(sam, read)).toMatchObject({
      allowed: false,
      visible: false,
      policies: [{ id: 'default-deny', message: 'Needs the role "viewer" in team "acme".' }],
    });
  });

  it('are no for who is nobody, whatever the name', async () => {
    for (const user of ['ghost', 'Ada\u0000', "'; DROP TABLE users; --", '\ud800'.repeat(3)]) {
      const decision = await service.decide({ ...dan, user, tokenId: null }, read);
      expect(decision).toMatchObject({
        allowed: false,
        visible: false,
        policies: [{ id: 'principal-unknown' }],
      });
    }
  });

  it("are no for a token that is another user's", async () => {
    const decision = await service.decide({ ...dan, tokenId: sam.tokenId }, read);
    expect(decision).toMatchObject({ allowed: false, policies: [{ id: 'token-unknown' }] });
  });

  it.each([
    ['an unknown action', { action: 'project.paint', resource: shop }],
    ['a hook that it has not', { ...read, hook: 'after' as const }],
    ['another type of resource', { action: 'project.read', resource: { type: 'Image', id: 'x' } as const }],
    ['facts that are missing', { action: 'project.create', resource: { type: 'Team', id: 'acme' } as const }],
    [
      'a place that is missing',
      { action: 'project.read', resource: { type: 'Project', id: 'shop' } as const },
    ],
  ])('are errors for %s', async (_what, request) => {
    expect((await failure(service.decide(admin, request))).code).toBe('VALIDATION_FAILED');
  });

  it.each([
    ['a zero', 'zero\u0000', 'zero\ufffd', true],
    // Half of a surrogate pair is no text: Cedar reads no such request, and what cannot be judged is denied.
    ['half a character', 'half\ud83d', 'half\ufffd', false],
  ])('are kept, also with text that a database does not take: %s', async (_what, name, kept, allowed) => {
    const resource = { type: 'Team', id: 'acme', team: 'acme' } as const;
    const { id } = await service.decide(dan, { action: 'project.create', resource, context: { name } });
    await eventually(async () => {
      const [row]: object[] = await service.dataSource.query('SELECT * FROM decisions WHERE id = $1', [id]);
      expect(row).toMatchObject({ principal: 'dan', allowed, context: { name: kept } });
    });
  });

  it('are kept for as long as the setting says', async () => {
    const { id } = await service.decide(dan, read);
    await eventually(async () => {
      const aged = `UPDATE decisions SET time = now() - interval '31 days' WHERE id = $1 RETURNING id`;
      expect(await service.dataSource.query(aged, [id])).toEqual([[{ id }], 1]);
    });
    const [{ count }]: { count: number }[] = await service.dataSource.query(
      'SELECT count(*)::int FROM decisions',
    );
    expect(await service.instance.get(DecisionRetention, { strict: false }).removeOld()).toBe(1);
    const [after]: { count: number }[] = await service.dataSource.query(
      'SELECT count(*)::int FROM decisions',
    );
    expect(after.count).toBeGreaterThanOrEqual(count - 1);
    expect(await service.dataSource.query('SELECT FROM decisions WHERE id = $1', [id])).toEqual([]);
  });

  it('come as many at once as are asked', async () => {
    const decisions = await Promise.all(
      Array.from({ length: 300 }, (_, n) => service.decide(n % 2 ? dan : sam, read)),
    );
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(150);
  });

  it('are errors, not answers, while the database is away', async () => {
    expect((await service.decide(dan, read)).allowed).toBe(true);
    const database = new URL(service.database.adminUrl).pathname.slice(1);
    // From another one: nobody can shut out themselves.
    const elsewhere = new URL('/postgres', service.database.adminUrl);
    const client = new Client({ connectionString: elsewhere.href });
    await client.connect();
    try {
      await client.query(`ALTER DATABASE "${database}" ALLOW_CONNECTIONS false`);
      await client.query(CUT_OFF, [database]);
      await expect(service.decide(dan, read)).rejects.toThrow();
    } finally {
      await client.query(`ALTER DATABASE "${database}" ALLOW_CONNECTIONS true`);
      await client.end();
    }
    await eventually(async () => expect((await service.decide(dan, read)).allowed).toBe(true));
  });

  it('go on after their connection was cut', async () => {
    const client = new Client({ connectionString: service.database.adminUrl });
    await client.connect();
    await client.query(CUT_OFF, [new URL(service.database.adminUrl).pathname.slice(1)]);
    await client.end();
    await eventually(async () => expect((await service.decide(dan, read)).allowed).toBe(true));
  });
});
