import { randomBytes, randomUUID } from 'node:crypto';
import { schedulerRpc, secretRpc, type Secret } from '@berth/contracts';
import { eventually, type TestImage } from '@berth/testing';
import { principal, SchedulerBench } from './scheduler-bench.js';

type Place = { project: string; environment: string };

let bench: SchedulerBench;
let place: Place;
beforeAll(async () => {
  bench = await SchedulerBench.start();
});
afterAll(() => bench.stop());
beforeEach(async () => {
  place = await bench.shop();
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const set = (name: string, text = 'a value', at: Place = place): Promise<Secret> =>
  bench.call(secretRpc.set, { ...at, name, value: base64(text) });
const remove = (name: string): Promise<object> => bench.call(secretRpc.remove, { ...place, name });
const list = async (at: Place = place): Promise<[string, number][]> =>
  (await bench.call(secretRpc.list, at)).items.map(({ name, version }) => [name, version]);

/** What runs, put there without an engine: a service `web` that is given these secrets. */
async function runs(secrets: string[]): Promise<void> {
  const id = randomUUID();
  const mounts = secrets.map((secret) => ({ secret, file: null, variable: secret }));
  const spec = { services: { web: { secrets: mounts } }, volumes: {}, secrets: {} };
  await bench.sql.query(
    `INSERT INTO deployments (id, environment_id, project, environment, team, cause, release, configuration, status,
       steps, created_by, permission, deadline, finished_at, spec)
     SELECT $1, id, project, name, team, 'deploy', 'sha256:0', 1, 'succeeded', '[]', 'ann', '{}', now(), now(), $3
     FROM environments WHERE project = $2`,
    [id, place.project, spec],
  );
  await bench.sql.query('UPDATE environments SET deployment = $2 WHERE project = $1', [place.project, id]);
}

describe('a secret', () => {
  it('counts its versions, also when several are set at once, and after it was removed', async () => {
    expect(await set('A')).toMatchObject({ name: 'A', version: 1, setBy: 'ann', setAt: expect.any(String) });
    const more = await Promise.all(Array.from({ length: 8 }, () => set('A')));
    expect(more.map(({ version }) => version).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    await remove('A');
    expect(await list()).toEqual([]);
    expect(await set('A')).toMatchObject({ version: 10 });
    expect(await list()).toEqual([['A', 10]]);
  });

  it('leaves nothing of its values when it is removed', async () => {
    await set('A');
    await remove('A');
    const { rows } = await bench.sql.query(
      `SELECT s.wrapped_key, s.nonce, s.ciphertext FROM secrets s JOIN environments e ON e.id = s.environment_id
       WHERE e.project = $1`,
      [place.project],
    );
    expect(rows).toEqual([{ wrapped_key: null, nonce: null, ciphertext: null }]);
    await expect(remove('A')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('belongs to one environment, and goes with it', async () => {
    await bench.call(schedulerRpc.createEnvironment, { project: place.project, name: 'prod' });
    const prod = { ...place, environment: 'prod' };
    await set('A');
    await set('A', 'other', prod);
    expect(await list(prod)).toEqual([['A', 1]]);
    await bench.call(schedulerRpc.removeEnvironment, { ...prod, volumes: false });
    expect(await list()).toEqual([['A', 1]]);
    await expect(list(prod)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is listed by name, page by page', async () => {
    for (const name of ['b', 'A', '_c']) await set(name);
    const first = await bench.call(secretRpc.list, { ...place, limit: 2 });
    const cursor = first.nextCursor ?? undefined;
    const second = await bench.call(secretRpc.list, { ...place, limit: 2, cursor });
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
    expect([...first.items, ...second.items].map(({ name }) => name).sort()).toEqual(['A', '_c', 'b']);
  });

  it('is not removed while what runs is given it', async () => {
    await set('A');
    await set('B');
    await runs(['A']);
    await expect(remove('A')).rejects.toMatchObject({
      code: 'SECRET_IN_USE',
      extensions: { services: ['web'] },
    });
    await remove('B');
    await runs([]);
    await remove('A');
  });

  it.each([
    ['', 'VALIDATION_FAILED'],
    ['not base64!', 'VALIDATION_FAILED'],
    [base64('x'.repeat(65_537)), 'VALIDATION_FAILED'],
  ])('takes 1 to 65,536 bytes: %#', async (value, code) => {
    await expect(bench.call(secretRpc.set, { ...place, name: 'A', value })).rejects.toMatchObject({ code });
    expect(await set('A', 'x'.repeat(65_536))).toMatchObject({ version: 1 });
  });
});

describe('who may', () => {
  it('is asked of policy with the name and the size, and never the value', async () => {
    await set('A', 'hunter2');
    const asked = bench.neighbours.asked.filter(({ resource }) => resource.project === place.project);
    expect(asked.filter(({ action }) => action === 'secret.set')).toMatchObject([
      { hook: 'before', context: { name: 'A', size: 7 } },
      { hook: 'after', context: {} },
    ]);
    bench.neighbours.decide.set(place.project, ({ action }) => ({ allowed: action !== 'secret.set' }));
    await expect(set('A')).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    bench.neighbours.decide.set(place.project, ({ hook }) => ({ allowed: hook === 'before' }));
    await expect(set('A')).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    bench.neighbours.decide.delete(place.project);
    expect(await list()).toEqual([['A', 1]]);
  });

  it('is recorded and told, with names and versions only', async () => {
    await set('A', 'hunter2');
    await remove('A');
    const { project, environment } = place;
    const data = { project, environment, name: 'A', version: 1 };
    await eventually(() => {
      const told = bench.eventsOf(project).filter(({ type }) => type.startsWith('secret.'));
      expect(told).toMatchObject([
        { type: 'secret.set.v1', data },
        { type: 'secret.removed.v1', data },
      ]);
      const recorded = bench.recordsOf(project).filter(({ action }) => action.startsWith('secret.'));
      expect(recorded.map(({ action, request }) => [action, request])).toEqual([
        ['secret.set', { name: 'A', size: 7 }],
        ['secret.remove', { name: 'A' }],
      ]);
    });
  });

  it('is told that there is none where there is no such environment', async () => {
    const nowhere = { ...place, environment: 'nowhere' };
    await expect(set('A', 'x', nowhere)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const stranger = bench.call(secretRpc.list, nowhere, principal('eve', 'rivals'));
    await expect(stranger).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

it('a deployment that asks for a secret that is not there is turned away, and told what to do', async () => {
  await set('PRESENT');
  const compose = `
services:
  web:
    image: none:1
    secrets: [PRESENT, ABSENT]
secrets: { PRESENT: , ABSENT: }
`;
  const { project } = place;
  await expect(bench.deploy(place, compose)).rejects.toMatchObject({
    code: 'SECRET_NOT_FOUND',
    status: 422,
    message: expect.stringMatching(
      new RegExp(`"web".*"ABSENT".*berth secret set ABSENT --project ${project} --env dev`),
    ),
    extensions: { service: 'web', secret: 'ABSENT' },
  });
});

it('a deployment does not slip in beside the removal of a secret that it asks for', async () => {
  await set('A');
  const digest = `sha256:${randomBytes(32).toString('hex')}`;
  bench.neighbours.images = {
    web: { ...{ reference: 'web', repository: 'web', digest }, mediaType: 'application/json' } as TestImage,
  };
  const remover = await bench.sql.connect();
  try {
    // As a removal does, at its slowest: the deployment has seen the secret, and waits.
    await remover.query('BEGIN');
    await remover.query('SELECT FROM environments WHERE project = $1 FOR NO KEY UPDATE', [place.project]);
    const deployed = bench.deploy(place, 'services: { web: { image: web, secrets: [A] } }\nsecrets: { A: }');
    const refused = expect(deployed).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
    await eventually(() => {
      expect(bench.neighbours.words('reserve')).toContainEqual(
        expect.objectContaining({ project: place.project }),
      );
    });
    await remover.query(
      `UPDATE secrets SET wrapped_key = NULL, nonce = NULL, ciphertext = NULL, key_id = NULL
       WHERE environment_id = (SELECT id FROM environments WHERE project = $1)`,
      [place.project],
    );
    await remover.query('COMMIT');
    await refused;
  } finally {
    remover.release();
  }
});
