import { actions, auditRpc, type AuditQuery, type AuditRecord, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { record, RunningAudit } from './audit-service.js';
import { People } from './people.js';

const TEAMS = ['acme', 'blue', 'other'];

describe('reading the log', () => {
  let audit: RunningAudit;
  let people: People;
  let ann: Principal;
  let both: Principal;
  let nobody: Principal;
  const told = Object.fromEntries(TEAMS.map((team) => [team, record({ team })]));
  const ofNoTeam = record({ team: null, project: null, environment: null, action: 'user.create' });

  beforeAll(async () => {
    [people, audit] = await Promise.all([People.start(), RunningAudit.start()]);
    for (const team of TEAMS) await people.addTeam(team);
    ann = await people.add('ann', { acme: 'viewer' });
    both = await people.add('both', { acme: 'developer', blue: 'viewer' });
    nobody = await people.add('nobody');
    await audit.source.send([...Object.values(told), ofNoTeam]);
    await eventually(async () =>
      expect(await idsFor(people.admin, { actor: 'ann', action: 'user.create' })).toEqual([ofNoTeam.id]),
    );
  });
  afterAll(async () => {
    await audit.stop();
    await people.stop();
  });

  const list = async (actor: Principal | null, query: Partial<AuditQuery> = {}): Promise<AuditRecord[]> =>
    (await people.rpc.call(auditRpc.list, query, { actor })).items;
  const idsFor = async (actor: Principal, query: Partial<AuditQuery> = {}): Promise<string[]> =>
    (await list(actor, query)).map(({ id }) => id);
  // Whoever may not read a team's log may not know either whether there is such a team.
  const unseen = { code: 'NOT_FOUND' };
  const denial = { code: 'POLICY_DENIED' };

  it('shows an admin everything', async () => {
    const ids = await idsFor(people.admin, { limit: 200 });
    expect(ids).toEqual(expect.arrayContaining([...Object.values(told), ofNoTeam].map(({ id }) => id)));
    expect(await idsFor(people.admin, { team: 'other', action: 'deployment.create' })).toEqual([
      told.other.id,
    ]);
  });

  it("shows a member the team's, and of others nothing", async () => {
    expect(await idsFor(ann, { team: 'acme', action: 'deployment.*' })).toEqual([told.acme.id]);
    await expect(list(ann, { team: 'other' })).rejects.toMatchObject(unseen);
    await expect(list(ann, { team: 'no-such-team' })).rejects.toMatchObject(unseen);
  });

  it('shows a member without a filter all of their teams, and nothing of others or of no team', async () => {
    const mine = await list(both, { limit: 200, reads: true });
    const shown = mine.map(({ id }) => id);
    expect(shown).toEqual(expect.arrayContaining([told.acme.id, told.blue.id]));
    for (const { team } of mine) expect(['acme', 'blue']).toContain(team);
    expect(await idsFor(ann, { action: 'deployment.create' })).toEqual([told.acme.id]);
  });

  it('leaves out a team whose log policy keeps from them', async () => {
    await people.applyPolicy(
      'blue-log-is-closed',
      `@message("The log of blue is closed.")
       forbid (principal, action in Berth::Action::"audit.read", resource == Berth::Team::"blue");`,
    );
    try {
      await eventually(async () =>
        expect(await idsFor(both, { action: 'deployment.create' })).toEqual([told.acme.id]),
      );
      await expect(list(both, { team: 'blue' })).rejects.toMatchObject({
        code: 'POLICY_DENIED',
        extensions: { policies: [{ id: 'blue-log-is-closed', message: 'The log of blue is closed.' }] },
      });
    } finally {
      await people.removePolicy('blue-log-is-closed');
    }
  });

  it('shows nothing to who is in no team, or nobody', async () => {
    await expect(list(nobody)).rejects.toMatchObject(denial);
    await expect(list(null)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('is recorded itself, as a read, and so are attempts', async () => {
    const { name: action } = actions.auditRead;
    await list(ann, { team: 'acme' });
    await expect(list(ann, { team: 'other' })).rejects.toMatchObject(unseen);
    await eventually(async () => {
      const reads = await list(people.admin, { action, actor: 'ann', reads: true, limit: 200 });
      expect(reads).toContainEqual(
        expect.objectContaining({ kind: 'read', outcome: 'succeeded', team: 'acme', source: 'audit' }),
      );
      expect(reads).toContainEqual(expect.objectContaining({ outcome: 'denied', team: 'other' }));
    });
    for (const { outcome } of await list(people.admin, { action, actor: 'ann' }))
      expect(outcome).toBe('denied');
  });

  it('lets maintainers of a team take its log out, and admins all of it; each time is recorded', async () => {
    const taken = async (actor: Principal, query: Partial<AuditQuery> = {}): Promise<string[]> =>
      (await people.rpc.call(auditRpc.export, query, { actor })).items.map(({ id }) => id);
    const keeper = await people.add('keeper', { acme: 'maintainer' });
    expect(await taken(keeper, { action: 'deployment.create' })).toEqual([told.acme.id]);
    await expect(taken(ann, { team: 'acme' })).rejects.toMatchObject(denial);
    await expect(taken(keeper, { team: 'blue' })).rejects.toMatchObject(unseen);
    expect(await taken(people.admin, { limit: 200 })).toContain(ofNoTeam.id);
    await eventually(async () => {
      const action = actions.auditExport.name;
      const reads = await list(people.admin, { action, reads: true, limit: 200 });
      expect(reads.map(({ actor, outcome }) => `${actor} ${outcome}`).sort()).toEqual(
        ['ann denied', 'keeper denied', 'keeper succeeded', 'admin succeeded'].sort(),
      );
    });
  });

  it('names what is wrong with a query', async () => {
    await expect(list(ann, { limit: 1_000 })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      extensions: { fields: [{ path: 'limit' }] },
    });
    await expect(list(people.admin, { cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });
});
