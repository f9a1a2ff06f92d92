import { resourceRpc, type Deployment, type Resource } from '@berth/contracts';
import { buildResourceImage, buildTestImage, docker, eventually } from '@berth/testing';
import { SchedulerBench } from './scheduler-bench.js';
import { sideBySide } from './side-by-side.js';

// Several containers each, one after the other, and several such cases at a time.
jest.setTimeout(180_000);

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
  bench.neighbours.images = {
    'postgres:15': await buildResourceImage('postgres'),
    'postgres:15.9': await buildResourceImage('postgres', '15.9'),
    'postgres:16': await buildResourceImage('postgres', '16'),
    // As a server says it that finds files it cannot read.
    'postgres:15.10': await buildTestImage({
      ...{ name: 'postgres', tag: '15.10' },
      cmd: ['sh', '-c', 'echo "database files are incompatible with server" >&2; exit 1'],
      files: { '/etc/passwd': 'postgres:x:999:999::/tmp:/bin/sh\n' },
    }),
  };
});
afterAll(() => bench.stop());

interface Named {
  project: string;
  environment: string;
  name: string;
}

const CLIENT = `
services:
  app:
    image: postgres:15
    user: postgres
    entrypoint: [sleep, infinity]
    x-berth: { uses: [store] }`;

async function ended({ id }: Deployment): Promise<Deployment> {
  return bench.finished(id, 120);
}

/** A database with a table in it, and a service that uses it. */
async function store(): Promise<Named> {
  const place = await bench.shop();
  const named = { ...place, name: 'store' };
  const { deployment } = await bench.call(resourceRpc.add, { ...named, entry: 'postgres', version: '15' });
  expect(await ended(deployment)).toMatchObject({ status: 'succeeded', reason: null });
  expect(await ended(await bench.deploy(place, CLIENT))).toMatchObject({ status: 'succeeded', reason: null });
  await sql(named, 'CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id');
  return named;
}

async function containerOf({ project, environment }: Named, service: string): Promise<string> {
  const labels = { installation: bench.installation, project, environment, service };
  const filters = Object.entries(labels).flatMap(([name, value]) => [
    '--filter',
    `label=berth.${name}=${value}`,
  ]);
  return (await docker(bench.dockerHost, 'ps', '--quiet', ...filters)).trim();
}

async function imageOf(named: Named): Promise<string> {
  const format = ['--format', '{{.Config.Image}}'];
  return (await docker(bench.dockerHost, 'inspect', ...format, await containerOf(named, 'store'))).trim();
}

/** As the service does, with what it was given. */
async function sql(named: Named, text: string): Promise<string> {
  const script = `psql --no-psqlrc -qAt -v ON_ERROR_STOP=1 "$STORE_URL" -c "${text}"`;
  return (await docker(bench.dockerHost, 'exec', await containerOf(named, 'app'), 'sh', '-c', script)).trim();
}

/** All that there is to compare: what is declared, what runs, and the instances of both. */
async function lookAt(named: Named): Promise<{ shown: Resource; image: string; containers: string[] }> {
  const [shown, image, ...containers] = await Promise.all([
    bench.call(resourceRpc.get, named),
    imageOf(named),
    containerOf(named, 'store'),
    containerOf(named, 'app'),
  ]);
  return { shown, image, containers };
}

const upgrade = (named: Named, version: string) => bench.call(resourceRpc.upgrade, { ...named, version });

describe('an upgrade', () => {
  beside('that the rule allows keeps the data and the credentials, and replaces nothing else', async () => {
    const named = await store();
    const before = await lookAt(named);
    const upgraded = await upgrade(named, '15.9');
    expect(await ended(upgraded.deployment)).toMatchObject({ status: 'succeeded', reason: null });
    const after = await lookAt(named);
    expect(after.shown).toMatchObject({ version: '15.9', credential: before.shown.credential });
    expect(after.image).toContain(bench.neighbours.images['postgres:15.9'].digest);
    expect(after.containers[0]).not.toBe(before.containers[0]);
    // The very instance that used it before, with what it was given then.
    expect(after.containers[1]).toBe(before.containers[1]);
    expect(await sql(named, 'SELECT sum(id) FROM orders')).toBe('500500');
    // And not back: an earlier server may not read what this one has written.
    await expect(upgrade(named, '15.8')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  beside('that the rule forbids is refused, and nothing is changed', async () => {
    const named = await store();
    const before = await lookAt(named);
    await expect(upgrade(named, '16')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('cannot be brought from 15 to 16') as string,
    });
    await expect(upgrade(named, '15.77')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(upgrade({ ...named, name: 'other' }, '15.9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await lookAt(named)).toEqual(before);
    expect(await sql(named, 'SELECT sum(id) FROM orders')).toBe('500500');
    await eventually(() => {
      const causes = bench.eventsOf(named.project).filter(({ type }) => type === 'deployment.created.v1');
      expect(causes).toHaveLength(2);
    });
  });

  beside('that policy denies is refused, and nothing is changed', async () => {
    const named = await store();
    const before = await lookAt(named);
    bench.neighbours.decide.set(named.project, ({ action }) =>
      action === 'resource.upgrade' ? { allowed: false } : {},
    );
    await expect(upgrade(named, '15.9')).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    const asked = bench.neighbours.asked.filter(
      ({ action, resource }) => action === 'resource.upgrade' && resource.project === named.project,
    );
    expect(asked[0].context).toEqual({ name: 'store', from: '15', to: '15.9' });
    expect(await lookAt(named)).toEqual(before);
  });

  beside('to a version that does not start has failed, and the one before serves again', async () => {
    const named = await store();
    const before = await lookAt(named);
    const { deployment } = await upgrade(named, '15.10');
    const end = await ended(deployment);
    expect(end).toMatchObject({ status: 'failed', cause: 'resource' });
    expect(end.reason).toContain('database files are incompatible with server');
    const after = await lookAt(named);
    expect(after.shown).toEqual(before.shown);
    expect(after.image).toBe(before.image);
    expect(after.containers[1]).toBe(before.containers[1]);
    expect(await sql(named, 'SELECT sum(id) FROM orders')).toBe('500500');
    // What was rolled out before is in force, and can be brought further.
    const next = await upgrade(named, '15.9');
    expect(await ended(next.deployment)).toMatchObject({ status: 'succeeded', reason: null });
    expect(await sql(named, 'SELECT sum(id) FROM orders')).toBe('500500');
  });
});
