import { resourceRpc, type Deployment } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { scriptImage } from './engine-bench.js';
import { LostAnswer } from './lost-answer.js';
import { SchedulerBench } from './scheduler-bench.js';

jest.setTimeout(120_000);

const ENTRY = `
description: A file
image: keeper
versions: ['1']
port: 7
service:
  healthcheck: { test: [CMD, test, -e, /tmp/data], interval: 1s }
variables: { PASSWORD: '\${PASSWORD}' }
commands: { add_user: 'true', remove_user: 'true' }
`;

describe('credentials of a resource', () => {
  let bench: SchedulerBench;
  let between: LostAnswer;
  let named: { project: string; environment: string; name: string };

  const versions = async (): Promise<number[]> => {
    const { rows } = await bench.sql.query<{ version: number }>(
      `SELECT version FROM secrets JOIN environments ON environments.id = environment_id
       WHERE project = $1 AND secrets.name = 'store.variable.password' ORDER BY version`,
      [named.project],
    );
    return rows.map(({ version }) => version);
  };
  const deployments = async (): Promise<Deployment[]> => {
    const { rows } = await bench.sql.query<{ id: string }>(
      'SELECT id FROM deployments WHERE project = $1 ORDER BY created_at',
      [named.project],
    );
    return Promise.all(rows.map(({ id }) => bench.finished(id)));
  };

  beforeAll(async () => {
    bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
    const image = await scriptImage('keeper', 'echo precious > /tmp/data; exec sleep 1000');
    bench.neighbours.images = { 'keeper:1': image };
    await bench.stopSchedulers();
    between = await LostAnswer.before(bench.environment().DATABASE_URL ?? '');
    await bench.addScheduler({ DATABASE_URL: between.url });
    named = { ...(await bench.shop()), name: 'store' };
    await bench.call(resourceRpc.setCatalogEntry, { team: 'acme', name: 'keeper', file: ENTRY });
    const { deployment } = await bench.call(resourceRpc.add, { ...named, entry: 'keeper' });
    expect(await bench.finished(deployment.id)).toMatchObject({ status: 'succeeded', reason: null });
  });
  afterAll(async () => {
    await bench?.stop();
    await between?.stop();
  });

  it('that were made for a change that is refused do not stay', async () => {
    bench.neighbours.limits.set(named.project, [
      { scope: 'projects', name: named.project, dimension: 'instances', limit: 0, used: 0, requested: 1 },
    ]);
    await expect(bench.call(resourceRpc.rotate, named)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    bench.neighbours.limits.clear();
    expect(await versions()).toEqual([1]);
  });

  it('stay where the answer to the commit was lost: what was written down is rolled out', async () => {
    between.lose('INSERT INTO "deployments"');
    await expect(bench.call(resourceRpc.rotate, named)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
    expect(between.happened).toBe(true);
    await eventually(async () => expect(await deployments()).toHaveLength(2));
    expect((await deployments()).map(({ status, reason }) => [status, reason])).toEqual([
      ['succeeded', null],
      ['succeeded', null],
    ]);
    const { credential } = await bench.call(resourceRpc.get, named);
    expect(await versions()).toContain(credential);
    expect(credential).toBeGreaterThan(1);
  });
});
