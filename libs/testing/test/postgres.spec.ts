import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createTestDatabase, testPostgres, type TestDatabase } from '../src/index.js';
import { createDatabase, createServiceDatabase, withClient } from '@berth/host';

describe('roles of the services', () => {
  let database: TestDatabase;
  let quotaUrl: string;

  beforeAll(async () => {
    database = await createTestDatabase('policy');
    quotaUrl = await database.addService('quota');
    await query(database.url, "CREATE TABLE users (name text); INSERT INTO users VALUES ('ada')");
  });

  afterAll(() => database.drop());

  it('work in a schema of their own without naming it', async () => {
    expect(await query(database.url, 'SELECT name FROM users')).toEqual([{ name: 'ada' }]);
    expect(await query(database.url, 'SELECT current_schema() AS schema')).toEqual([{ schema: 'policy' }]);
  });

  it("can't read another service's tables", async () => {
    await expect(query(quotaUrl, 'SELECT * FROM policy.users')).rejects.toMatchObject({ code: '42501' });
  });

  it.each([
    ['write in the public schema', 'CREATE TABLE public.t (a int)'],
    ['make schemas', 'CREATE SCHEMA mine'],
    ['make databases', 'CREATE DATABASE mine'],
    ['make roles', 'CREATE ROLE mine'],
    ['become another role', `SET ROLE berth_superuser`],
  ])("can't %s", async (_name, sql) => {
    await expect(query(quotaUrl, sql)).rejects.toMatchObject({ code: '42501' });
  });

  it("can't connect to another installation's database", async () => {
    const other = await createTestDatabase('policy');
    try {
      const url = new URL(quotaUrl);
      url.pathname = new URL(other.url).pathname;
      await expect(query(url.toString(), 'SELECT 1')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await other.drop();
    }
  });

  it('are refused with a wrong password', async () => {
    const url = new URL(quotaUrl);
    url.password = 'wrong';
    await expect(query(url.toString(), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it("are made by someone else's administrator too, who is no superuser", async () => {
    const suffix = randomBytes(4).toString('hex');
    const clusterUrl = await testPostgres();
    await query(clusterUrl, `CREATE ROLE admin_${suffix} LOGIN CREATEROLE CREATEDB PASSWORD 'secret'`);
    await query(clusterUrl, `GRANT CONNECT ON DATABASE postgres TO admin_${suffix}`);
    const admin = new URL(clusterUrl);
    admin.username = `admin_${suffix}`;
    admin.password = 'secret';
    const adminUrl = admin.toString();
    const name = `named_${suffix}`;
    const wanted = {
      adminUrl,
      database: name,
      service: 'audit',
      password: 'secret',
      role: `audit_${suffix}`,
    };
    try {
      for (const _run of ['first', 'again']) {
        await createDatabase(adminUrl, name);
        const url = await createServiceDatabase(wanted);
        await query(url, 'CREATE TABLE IF NOT EXISTS records (id int)');
        await expect(query(url, 'CREATE TABLE public.t (a int)')).rejects.toMatchObject({ code: '42501' });
      }
    } finally {
      await query(clusterUrl, `DROP DATABASE IF EXISTS ${name}`);
      await query(clusterUrl, `DROP OWNED BY admin_${suffix}`);
      for (const role of ['audit', 'admin']) await query(clusterUrl, `DROP ROLE IF EXISTS ${role}_${suffix}`);
    }
  });

  it('are made again without harm, with a new password', async () => {
    const role = new URL(database.url).username;
    const name = new URL(database.url).pathname.slice(1);
    const again = { adminUrl: database.adminUrl, database: name, service: 'policy', role };
    const url = await createServiceDatabase({ ...again, password: 'another' });
    expect(await query(url, 'SELECT name FROM users')).toEqual([{ name: 'ada' }]);
  });
});

function query(url: string, sql: string): Promise<unknown[]> {
  return withClient(url, async (client: Client) => (await client.query<Record<string, unknown>>(sql)).rows);
}
