import {
  resourceRpc,
  schedulerRpc,
  type ChangedResource,
  type Deployment,
  type ResourceOperation,
} from '@berth/contracts';
import { buildResourceImage, docker, eventually } from '@berth/testing';
import { SchedulerBench } from './scheduler-bench.js';
import { sideBySide } from './side-by-side.js';

// Several containers each, one after the other, and several such cases at a time.
jest.setTimeout(180_000);

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_UPKEEP_SECONDS: 0.5 });
  bench.neighbours.images = { 'postgres:15': await buildResourceImage('postgres') };
});
afterAll(() => bench.stop());

interface Place {
  project: string;
  environment: string;
}

/** Does nothing but be there, with psql. */
const client = (uses = 'orders-db'): string => `
services:
  app:
    image: postgres:15
    user: postgres
    entrypoint: [sleep, infinity]
    ${uses ? `x-berth: { uses: [${uses}] }` : ''}`;

async function succeeded(deployment: Deployment): Promise<Deployment> {
  const end = await bench.finished(deployment.id, 120);
  expect([end.status, end.reason]).toEqual(['succeeded', null]);
  return end;
}

async function add(place: Place, name = 'orders-db'): Promise<ChangedResource> {
  const added = await bench.call(resourceRpc.add, { ...place, entry: 'postgres', name, version: '15' });
  await succeeded(added.deployment);
  return added;
}

const deploy = async (place: Place, compose = client()): Promise<Deployment> =>
  succeeded(await bench.deploy(place, compose));

/** The newest container of a service. */
async function containerOf({ project, environment }: Place, service: string): Promise<string> {
  const labels = { installation: bench.installation, project, environment, service };
  const filters = Object.entries(labels).flatMap(([name, value]) => [
    '--filter',
    `label=berth.${name}=${value}`,
  ]);
  const found = await docker(bench.dockerHost, 'ps', '--quiet', ...filters);
  return found.split('\n')[0] ?? '';
}

async function inApp(place: Place, script: string): Promise<string> {
  return (await docker(bench.dockerHost, 'exec', await containerOf(place, 'app'), 'sh', '-c', script)).trim();
}

const sql = (place: Place, text: string, url = '$ORDERS_DB_URL'): Promise<string> =>
  inApp(place, `psql --no-psqlrc -qAt -v ON_ERROR_STOP=1 "${url}" -c "${text}"`);

async function ended(place: Place, { id }: ResourceOperation): Promise<ResourceOperation> {
  return eventually(
    async () => {
      const operation = await bench.call(resourceRpc.getOperation, { ...place, name: 'orders-db', id });
      expect(operation.status).not.toBe('running');
      return operation;
    },
    { timeout: 120_000, interval: 100 },
  );
}

describe('a resource', () => {
  beside('is there for all of its environment, and for who asks for it', async () => {
    const place = await bench.shop();
    const added = await add(place);
    expect(added).toMatchObject({
      name: 'orders-db',
      entry: 'postgres',
      version: '15',
      port: 5432,
      usedBy: [],
    });
    expect(added.variables).toEqual([
      { name: 'ORDERS_DB_DATABASE', value: 'app' },
      { name: 'ORDERS_DB_HOST', value: 'orders-db' },
      { name: 'ORDERS_DB_PASSWORD', value: null },
      { name: 'ORDERS_DB_PORT', value: '5432' },
      { name: 'ORDERS_DB_URL', value: null },
      { name: 'ORDERS_DB_USERNAME', value: 'app1' },
    ]);
    // Without asking, and without a restart: by name.
    await deploy(place, client(''));
    expect(await inApp(place, 'pg_isready -h orders-db; env | grep -c ORDERS_DB || true')).toMatch(
      /accepting connections\n0$/,
    );
    const before = await containerOf(place, 'orders-db');
    await deploy(place);
    await sql(place, 'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1), (2)');
    expect(await sql(place, 'SELECT count(*) FROM orders')).toBe('2');
    // It was not touched by the deploys.
    expect(await containerOf(place, 'orders-db')).toBe(before);
    const shown = await bench.call(resourceRpc.get, { ...place, name: 'orders-db' });
    expect(shown.usedBy).toEqual(['app']);
    const { items } = await bench.call(resourceRpc.list, place);
    expect(items.map(({ name }) => name)).toEqual(['orders-db']);
    expect(JSON.stringify([added, shown, items, bench.eventsOf(place.project)])).not.toContain(
      await inApp(place, 'echo $ORDERS_DB_PASSWORD'),
    );
  });

  beside('is not there for another environment', async () => {
    const place = await bench.shop();
    await add(place);
    const prod = { project: place.project, environment: 'prod' };
    await bench.call(schedulerRpc.createEnvironment, { project: place.project, name: 'prod' });
    await expect(bench.deploy(prod, client())).rejects.toMatchObject({
      code: 'RESOURCE_NOT_FOUND',
      message: expect.stringContaining('berth resource add'),
    });
    await deploy(prod, client(''));
    expect(await inApp(prod, 'pg_isready -h orders-db || true')).toContain('no response');
  });

  beside('gets new credentials with no query failed, and the old ones end', async () => {
    const place = await bench.shop();
    await add(place);
    await deploy(place);
    await sql(place, 'CREATE TABLE orders (id serial PRIMARY KEY)');
    const old = await inApp(place, 'echo $ORDERS_DB_URL');
    let failed = 0;
    let answered = 0;
    let rotating = true;
    const asking = (async () => {
      while (rotating) {
        // As a service does: whichever instance runs, with what it was given.
        const ask = sql(place, 'INSERT INTO orders DEFAULT VALUES').then(
          () => (answered += 1),
          async (error: Error) => {
            // The instance itself may be the one that was replaced: docker could not enter it.
            if (!/No such container|not running|exec failed|exit code 137|is not running/.test(error.message))
              failed += 1;
          },
        );
        await ask;
      }
    })();
    const rotated = await bench.call(resourceRpc.rotate, { ...place, name: 'orders-db' });
    await succeeded(rotated.deployment);
    rotating = false;
    await asking;
    expect([failed, answered > 0]).toEqual([0, true]);
    expect(rotated.credential).toBe(2);
    expect(await sql(place, 'SELECT current_user || session_user')).toBe('appapp2');
    await expect(sql(place, 'SELECT 1', old)).rejects.toThrow(/authentication failed|does not exist/);
    await sql(place, 'DROP TABLE orders');
  });

  const remove = (place: Place, data: boolean) =>
    bench.call(resourceRpc.remove, { ...place, name: 'orders-db', data });

  beside('is not removed while it is used, and what it holds stays', async () => {
    const place = await bench.shop();
    await add(place);
    await deploy(place);
    await sql(place, 'CREATE TABLE orders (id int)');
    await expect(remove(place, false)).rejects.toMatchObject({
      code: 'RESOURCE_IN_USE',
      extensions: { services: ['app'] },
    });
    await deploy(place, client(''));
    await succeeded(await remove(place, false));
    expect(await containerOf(place, 'orders-db')).toBe('');
    await add(place);
    await deploy(place);
    expect(await sql(place, 'SELECT count(*) FROM orders')).toBe('0');
  });

  beside('goes with what it holds when told so', async () => {
    const place = await bench.shop();
    await add(place);
    const volumes = async () =>
      (await docker(bench.dockerHost, 'volume', 'ls', '--quiet', '--filter', `name=${place.project}`)).trim();
    expect(await volumes()).not.toBe('');
    await succeeded(await remove(place, true));
    expect(await volumes()).toBe('');
  });

  beside('that does not come up leaves nothing', async () => {
    const place = await bench.shop();
    await bench.call(resourceRpc.setCatalogEntry, {
      ...{ team: 'acme', name: 'broken' },
      file: entry({ service: 'entrypoint: [sh, -c, "echo no such luck; exit 3"]' }),
    });
    const added = await bench.call(resourceRpc.add, { ...place, entry: 'broken', name: 'luck' });
    const end = await bench.finished(added.deployment.id, 120);
    expect(end.status).toBe('failed');
    expect(end.reason).toContain('no such luck');
    expect((await bench.call(resourceRpc.list, place)).items).toEqual([]);
    expect(await containerOf(place, 'luck')).toBe('');
  });
});

describe('a backup', () => {
  beside('counts once its restore held the same, and brings back what was lost', async () => {
    const place = await bench.shop();
    await add(place);
    await deploy(place);
    await sql(place, 'CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id');
    const named = { ...place, name: 'orders-db' };
    const backup = await ended(place, await bench.call(resourceRpc.backUp, named));
    expect(backup).toMatchObject({ status: 'succeeded', reason: null, kind: 'backup' });
    expect(backup.bytes).toBeGreaterThan(1_000);
    await sql(place, 'DROP TABLE orders; CREATE TABLE mistake (id int)');
    const restored = await ended(
      place,
      await bench.call(resourceRpc.restore, { ...named, backup: backup.id }),
    );
    expect([restored.status, restored.reason]).toEqual(['succeeded', null]);
    expect(restored.fingerprint).toBe(backup.fingerprint);
    expect(await sql(place, 'SELECT sum(id) FROM orders')).toBe('500500');
    await expect(sql(place, 'SELECT * FROM mistake')).rejects.toThrow('does not exist');
    const { items } = await bench.call(resourceRpc.listOperations, { ...named, kind: 'backup' });
    expect(items.map(({ id, status }) => [id, status])).toEqual([[backup.id, 'succeeded']]);
    // The place that it was tried in is gone.
    const left = await docker(
      bench.dockerHost,
      'network',
      'ls',
      '--filter',
      `label=berth.project=${place.project}`,
      '-q',
    );
    expect(left.split('\n').filter(Boolean)).toHaveLength(1);
    await eventually(() => {
      const types = bench.eventsOf(place.project).map(({ type }) => type);
      expect(types.filter((type) => type.startsWith('resource.'))).toEqual([
        'resource.backed_up.v1',
        'resource.restored.v1',
      ]);
    });
  });

  beside('whose restore is not the same has failed, and says so', async () => {
    const place = await bench.shop();
    await bench.call(resourceRpc.setCatalogEntry, {
      ...{ team: 'acme', name: 'forgetful' },
      file: entry({ restore: 'head -c 3 > /tmp/data' }),
    });
    const added = await bench.call(resourceRpc.add, { ...place, entry: 'forgetful', name: 'orders-db' });
    await succeeded(added.deployment);
    const named = { ...place, name: 'orders-db' };
    const backup = await ended(place, await bench.call(resourceRpc.backUp, named));
    expect(backup).toMatchObject({ status: 'failed', reason: expect.stringContaining('not the same') });
    await expect(bench.call(resourceRpc.restore, { ...named, backup: backup.id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await eventually(() => {
      const [event] = bench.eventsOf(place.project).filter(({ type }) => type.startsWith('resource.'));
      expect(event).toMatchObject({ type: 'resource.backup_failed.v1' });
    });
  });
});

/** A catalog entry that holds a file. */
function entry(own: { service?: string; restore?: string }): string {
  return `
description: A file
image: postgres
versions: ['15']
port: 7
service:
  user: postgres
  ${own.service ?? 'entrypoint: [sh, -c, "echo precious > /tmp/data; exec sleep infinity"]'}
  healthcheck: { test: [CMD, test, -e, /tmp/data], interval: 1s }
variables: { HOST: '\${HOST}' }
commands:
  add_user: 'true'
  remove_user: 'true'
  backup: cat /tmp/data
  restore: ${own.restore ?? 'cat > /tmp/data'}
`;
}

beside('a catalog says what is wrong with an entry', async () => {
  const set = (file: string) => bench.call(resourceRpc.setCatalogEntry, { team: 'acme', name: 'own', file });
  await expect(set('description: [')).rejects.toMatchObject({ code: 'CATALOG_ENTRY_INVALID' });
  await expect(set(entry({}).replace('port: 7', 'port: x'))).rejects.toMatchObject({
    code: 'CATALOG_ENTRY_INVALID',
    message: expect.stringContaining('port'),
  });
  await expect(set(entry({ service: 'privileged: true' }))).rejects.toMatchObject({
    code: 'CATALOG_ENTRY_INVALID',
    message: expect.stringContaining('privileged'),
  });
  const { items } = await bench.call(resourceRpc.listCatalog, { team: 'acme' });
  for (const name of ['postgres', 'redis', 'nats', 'mariadb', 'rabbitmq'])
    expect(items).toContainEqual(expect.objectContaining({ name, team: null, backup: true }));
});
