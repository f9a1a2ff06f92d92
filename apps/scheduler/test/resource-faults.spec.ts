import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceRpc, type ResourceOperation } from '@berth/contracts';
import { docker, eventually, type TestService } from '@berth/testing';
import { scriptImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';

// Several containers each, one after the other, and several such cases at a time.
jest.setTimeout(180_000);

let bench: SchedulerBench;
let scheduler: TestService;

beforeAll(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
  const image = await scriptImage('keeper', 'echo precious > /tmp/data; exec sleep 1000');
  bench.neighbours.images = { 'keeper:1': image };
  scheduler = await bench.startProcess();
});
afterAll(async () => {
  await scheduler.kill();
  await bench.stop();
});

/** Holds a file. Its dump takes a moment, and so does a restore: time to be killed in. */
const KEEPER = `
description: A file
image: keeper
versions: ['1']
port: 7
service:
  healthcheck: { test: [CMD, test, -e, /tmp/data], interval: 1s }
variables: { PASSWORD: '\${PASSWORD}' }
commands:
  add_user: 'true'
  remove_user: 'true'
  backup: sleep 1; cat /tmp/data
  restore: sleep 1; cat > /tmp/data
`;

const step = async (named: Named, id: string): Promise<ResourceOperation> =>
  bench.call(resourceRpc.getOperation, { ...named, id });

interface Named {
  project: string;
  environment: string;
  name: string;
}

async function keeper(): Promise<Named> {
  const place = await bench.shop();
  await bench.call(resourceRpc.setCatalogEntry, { team: 'acme', name: 'keeper', file: KEEPER });
  const added = await bench.call(resourceRpc.add, { ...place, entry: 'keeper', name: 'store' });
  expect(await bench.finished(added.deployment.id)).toMatchObject({ status: 'succeeded' });
  return { ...place, name: 'store' };
}

async function networksOf(project: string): Promise<number> {
  const found = await docker(
    bench.dockerHost,
    'network',
    'ls',
    '-q',
    '--filter',
    `label=berth.project=${project}`,
  );
  return found.split('\n').filter(Boolean).length;
}

it.each(['dumping', 'restoring it elsewhere'])(
  'a backup whose scheduler is killed while it is %s is made all the same, and leaves nothing behind',
  async (when) => {
    const named = await keeper();
    const { id } = await bench.call(resourceRpc.backUp, named);
    await eventually(async () => expect((await step(named, id)).step).toBe(when), {
      timeout: 20_000,
      interval: 50,
    });
    await scheduler.kill('SIGKILL');
    scheduler = await bench.startProcess();
    const backup = await eventually(
      async () => {
        const operation = await step(named, id);
        expect(operation.status).not.toBe('running');
        return operation;
      },
      { timeout: 40_000, interval: 100 },
    );
    expect([backup.status, backup.reason]).toEqual(['succeeded', null]);
    await eventually(async () => expect(await networksOf(named.project)).toBe(1), { timeout: 20_000 });
    // One file, which nobody can read.
    const { rows } = await bench.sql.query<{ id: string }>('SELECT id FROM environments WHERE project = $1', [
      named.project,
    ]);
    const folder = join(bench.environment().BERTH_BACKUPS_FOLDER ?? '', rows[0].id);
    expect(readdirSync(folder)).toEqual([id]);
    expect(readFileSync(join(folder, id)).includes('precious')).toBe(false);
  },
);

it('a file that was changed is not restored', async () => {
  const named = await keeper();
  const done = async ({ id }: ResourceOperation): Promise<ResourceOperation> =>
    eventually(
      async () => {
        const operation = await step(named, id);
        expect(operation.status).not.toBe('running');
        return operation;
      },
      { timeout: 40_000, interval: 100 },
    );
  const backup = await done(await bench.call(resourceRpc.backUp, named));
  const folder = bench.environment().BERTH_BACKUPS_FOLDER ?? '';
  const { rows } = await bench.sql.query<{ id: string }>('SELECT id FROM environments WHERE project = $1', [
    named.project,
  ]);
  const file = join(folder, rows[0].id, backup.id);
  const content = readFileSync(file);
  content[14] ^= 1;
  writeFileSync(file, content);
  const restored = await done(await bench.call(resourceRpc.restore, { ...named, backup: backup.id }));
  expect(restored).toMatchObject({ status: 'failed', reason: expect.stringContaining('does not decrypt') });
});
