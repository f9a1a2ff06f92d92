import { schedulerRpc } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { principal, SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;
beforeAll(async () => {
  bench = await SchedulerBench.start();
});
afterAll(() => bench.stop());

describe('a project', () => {
  it('has a name of its own in the installation', async () => {
    const { project } = await bench.shop();
    await expect(
      bench.call(schedulerRpc.createProject, { name: project, team: 'other' }),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await bench.call(schedulerRpc.getProject, { project })).toMatchObject({
      name: project,
      team: 'acme',
    });
  });

  it('belongs to a team that there is', async () => {
    await expect(
      bench.call(schedulerRpc.createProject, { name: 'lost', team: 'nobody' }, principal('root', 'x', true)),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(bench.call(schedulerRpc.getProject, { project: 'lost' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('must be called by a DNS label', async () => {
    for (const name of ['Shop', 'a_b', '-a', 'a'.repeat(64), ''])
      await expect(bench.call(schedulerRpc.createProject, { name, team: 'acme' })).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      });
  });

  it('is listed to its team, page by page, and to an admin', async () => {
    const team = 'listers';
    const names = ['a', 'b', 'c'].map((letter) => `list-${letter}`);
    const member = principal('lea', team);
    for (const name of names) await bench.call(schedulerRpc.createProject, { name, team }, member);
    const first = await bench.call(schedulerRpc.listProjects, { limit: 2 }, member);
    expect(first.items.map(({ name }) => name)).toEqual(names.slice(0, 2));
    const second = await bench.call(
      schedulerRpc.listProjects,
      { limit: 2, cursor: first.nextCursor ?? '' },
      member,
    );
    expect(second).toMatchObject({ items: [{ name: 'list-c' }], nextCursor: null });
    const stranger = principal('sam', 'strangers');
    expect((await bench.call(schedulerRpc.listProjects, {}, stranger)).items).toEqual([]);
    const admin = principal('root', 'none', true);
    expect((await bench.call(schedulerRpc.listProjects, { team }, admin)).items).toHaveLength(3);
    await expect(bench.call(schedulerRpc.listProjects, { cursor: 'x' }, member)).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });

  it('stays while it has environments', async () => {
    const { project } = await bench.shop();
    await expect(bench.call(schedulerRpc.removeProject, { project })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });
});

describe('an environment', () => {
  it('is there once in its project, with variables that can be replaced', async () => {
    const place = await bench.shop({ A: '1' });
    await expect(
      bench.call(schedulerRpc.createEnvironment, { project: place.project, name: 'dev' }),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await bench.call(schedulerRpc.getEnvironment, place)).toMatchObject({
      variables: { A: '1' },
      release: null,
    });
    await bench.call(schedulerRpc.updateEnvironment, { ...place, variables: { B: '2' } });
    expect((await bench.call(schedulerRpc.getEnvironment, place)).variables).toEqual({ B: '2' });
  });

  it('keeps the values of its variables out of records and events', async () => {
    const place = await bench.shop({ SECRET: 'hunter2' });
    await bench.call(schedulerRpc.updateEnvironment, { ...place, variables: { SECRET: 'hunter3' } });
    const { rows } = await bench.sql.query(`SELECT payload FROM outbox WHERE payload LIKE '%hunter%'`);
    expect(rows).toEqual([]);
    expect(JSON.stringify([bench.recordsOf(place.project), bench.eventsOf(place.project)])).not.toContain(
      'hunter',
    );
  });

  it('is NOT_FOUND where there is none, and of a project that there is none of', async () => {
    const { project } = await bench.shop();
    for (const place of [
      { project, environment: 'prod' },
      { project: 'nowhere', environment: 'dev' },
    ])
      await expect(bench.call(schedulerRpc.getEnvironment, place)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
  });

  it('is listed by name', async () => {
    const { project } = await bench.shop();
    await bench.call(schedulerRpc.createEnvironment, { project, name: 'alpha' });
    const { items } = await bench.call(schedulerRpc.listEnvironments, { project });
    expect(items.map(({ name }) => name)).toEqual(['alpha', 'dev']);
  });
});

describe('who is denied', () => {
  it('changes nothing, and it is recorded', async () => {
    const place = await bench.shop({ A: '1' });
    const policies = [{ id: 'frozen', message: 'Not today.' }];
    bench.neighbours.decide.set(place.project, () => ({ allowed: false, policies }));
    await expect(
      bench.call(schedulerRpc.updateEnvironment, { ...place, variables: {} }),
    ).rejects.toMatchObject({ code: 'POLICY_DENIED', extensions: { policies } });
    bench.neighbours.decide.delete(place.project);
    expect((await bench.call(schedulerRpc.getEnvironment, place)).variables).toEqual({ A: '1' });
    await eventually(() =>
      expect(bench.recordsOf(place.project)).toContainEqual(
        expect.objectContaining({ action: 'environment.update', outcome: 'denied', policies }),
      ),
    );
  });

  it('after the fact, leaves nothing either', async () => {
    const place = await bench.shop({ A: '1' });
    bench.neighbours.decide.set(place.project, ({ hook }) => ({ allowed: hook !== 'after' }));
    await expect(
      bench.call(schedulerRpc.updateEnvironment, { ...place, variables: {} }),
    ).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    bench.neighbours.decide.delete(place.project);
    expect((await bench.call(schedulerRpc.getEnvironment, place)).variables).toEqual({ A: '1' });
  });
});
