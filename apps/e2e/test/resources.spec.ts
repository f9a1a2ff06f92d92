import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Problem, ResourceOperation } from '@berth/contracts';
import { isRoot, REPOSITORY } from '@berth/host';
import { buildResourceImage, docker, startPlatform, type ApiClient, type TestPlatform } from '@berth/testing';
import { filesWith, formsOf, tablesWith } from './support/leaks.js';
import { deploy, expectStatus, newcomer, newProject } from './support/people.js';

jest.setTimeout(240_000);

const ROW = 'a-row-that-only-the-database-holds';

const compose = (more = ''): string => `
services:
  app:
    image: postgres:15
    user: postgres
    entrypoint: [sleep, infinity]
    ${more}
`;

describe('a resource', () => {
  let platform: TestPlatform;
  let dana: ApiClient;

  beforeAll(async () => {
    await buildResourceImage('postgres');
    await buildResourceImage('postgres', '15.9');
    platform = await startPlatform();
    dana = await newcomer(platform, 'acme', 'dana');
    await newProject(dana, 'acme', 'shop');
    expectStatus(await dana.post('/v1/projects/shop/environments', { name: 'prod' }), 201);
  });

  afterAll(async () => {
    await platform?.stop();
  });

  function berth(line: string): string {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(REPOSITORY, 'apps/cli/dist/main.js'), ...line.split(' '), '--project', 'shop'],
      { env: platform.cliEnvironment(dana.token), encoding: 'utf8' },
    );
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    return stdout;
  }

  async function containerOf(environment: string, service = 'app'): Promise<string> {
    const labels = { installation: platform.installation, project: 'shop', environment, service };
    const filters = Object.entries(labels).flatMap(([name, value]) => [
      '--filter',
      `label=berth.${name}=${value}`,
    ]);
    return (await docker(platform.dockerHost, 'ps', '--quiet', ...filters)).split('\n')[0] ?? '';
  }

  const inApp = async (environment: string, script: string): Promise<string> =>
    (await docker(platform.dockerHost, 'exec', await containerOf(environment), 'sh', '-c', script)).trim();

  it('is there at once, by name and in the metadata, for what runs already', async () => {
    expect(await deploy(dana, 'shop', compose())).toMatchObject({ status: 'succeeded' });
    const before = await containerOf('dev');
    expect(berth('resource add postgres:15 --name orders-db --env dev')).toContain('succeeded');
    expect(await containerOf('dev')).toBe(before);
    expect(await inApp('dev', 'pg_isready -h orders-db')).toContain('accepting connections');
    const told = JSON.parse(await inApp('dev', 'wget -q -O - "$BERTH_METADATA_URL/v1/resources"')) as unknown;
    expect(told).toEqual([
      {
        ...{ name: 'orders-db', kind: 'postgres', version: '15', port: 5432 },
        variables: { HOST: 'orders-db', PORT: '5432', DATABASE: 'app', USERNAME: 'app1' },
      },
    ]);
  });

  it('is given to a service that asks', async () => {
    expect(await deploy(dana, 'shop', compose('x-berth: { uses: [orders-db] }'))).toMatchObject({
      status: 'succeeded',
    });
    const sql = `CREATE TABLE orders (word text); INSERT INTO orders VALUES ('${ROW}')`;
    await inApp('dev', `psql "$ORDERS_DB_URL" -c "${sql}"`);
    expect(berth('resource ls --env dev')).toMatch(/orders-db +postgres 15 +orders-db:5432 +app/);
    expect(berth('resource show orders-db --env dev')).toMatch(/ORDERS_DB_PASSWORD +\(secret\)/);
  });

  it('cannot be reached from another environment, by name or by address', async () => {
    const { id } = expectStatus(
      await dana.post<{ id: string }>('/v1/projects/shop/environments/prod/deployments', {
        compose: compose(),
      }),
      202,
    );
    berth(`deployments ${id} --follow`);
    expect(await inApp('prod', 'pg_isready -h orders-db || true')).toContain('no response');
    const template = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
    const database = await containerOf('dev', 'orders-db');
    const addresses = (await docker(platform.dockerHost, 'inspect', '--format', template, database))
      .trim()
      .split(' ');
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) {
      expect(await inApp('dev', `pg_isready -h ${address}`)).toContain('accepting connections');
      // The rules that keep guests from private addresses are there: what follows does not leave this machine.
      if (isRoot())
        expect(await inApp('prod', `pg_isready -t 2 -h ${address} || true`)).toContain('no response');
    }
  });

  it('is upgraded as far as the rule of its entry goes, and no further', async () => {
    const place = '/v1/projects/shop/environments/dev/resources/orders-db/version';
    const refused = await dana.put<Problem>(place, { version: '16' });
    expect([refused.status, refused.body.code]).toEqual([409, 'CONFLICT']);
    expect(berth('resource upgrade orders-db 15.9 --env dev')).toContain('succeeded');
    expect(berth('resource ls --env dev')).toMatch(/orders-db +postgres 15\.9 +orders-db:5432 +app/);
    expect(await inApp('dev', 'psql -At "$ORDERS_DB_URL" -c "SELECT * FROM orders"')).toBe(ROW);
  });

  it('is backed up and restored by the command, and leaks neither credentials nor data', async () => {
    const backup = JSON.parse(berth('resource backup orders-db --env dev --json')) as ResourceOperation;
    expect(backup).toMatchObject({ status: 'succeeded' });
    await inApp('dev', 'psql "$ORDERS_DB_URL" -c "DELETE FROM orders"');
    expect(berth(`resource restore orders-db ${backup.id} --env dev --yes`)).toContain('succeeded');
    expect(await inApp('dev', 'psql -At "$ORDERS_DB_URL" -c "SELECT * FROM orders"')).toBe(ROW);
    expect(berth('resource backups orders-db --env dev')).toMatch(new RegExp(`${backup.id} +succeeded`));
    const password = await inApp('dev', 'echo $ORDERS_DB_PASSWORD');
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    const forms = [...formsOf(password), ...formsOf(ROW)];
    expect((await tablesWith(platform, forms)).found).toEqual([]);
    await platform.stopPart('nats');
    await platform.stopPart('postgres');
    expect(filesWith(platform.home, [backup.id]).length).toBeGreaterThan(0);
    expect(filesWith(platform.home, forms)).toEqual([]);
  });
});
