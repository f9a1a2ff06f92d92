import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { DatabaseService } from './service-names.js';

export interface ServiceDatabase {
  /** A role that may create roles, and schemas in the database. */
  adminUrl: string;
  database: string;
  /** A service's name: names its schema, and its role with the prefix `berth_`. */
  service: string;
  password: string;
  /** Set where several installations share one cluster, for roles belong to the cluster. */
  role?: string;
}

/** `registry-proxy` -> `registry_proxy`: a name that SQL takes without quotes. */
export function schemaName(service: string): string {
  return service.replaceAll('-', '_');
}

export function roleName(service: DatabaseService | string): string {
  return `berth_${schemaName(service)}`;
}

/** Makes a database that only roles named to it may connect to. Does nothing when it is there. */
export async function createDatabase(adminUrl: string, database: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    if (!rowCount) await client.query(`CREATE DATABASE ${escapeIdentifier(database)}`);
    await client.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(database)} FROM PUBLIC`);
  });
  await withClient(databaseUrl(adminUrl, database), async (client) => {
    await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  });
}

/** Takes from everybody the right to connect to the databases that initdb made. For a cluster of one's own only. */
export async function closeDefaultDatabases(superuserUrl: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    await client.query('REVOKE ALL ON DATABASE postgres FROM PUBLIC');
    await client.query('REVOKE ALL ON DATABASE template1 FROM PUBLIC');
  });
}

/**
 * Makes a service's role and the one schema that it owns: it may connect, and do there as it likes, and nothing else
 * anywhere. Idempotent: sets the password again. Returns the service's `DATABASE_URL`.
 */
export async function createServiceDatabase(wanted: ServiceDatabase): Promise<string> {
  const name = wanted.role ?? roleName(wanted.service);
  const role = escapeIdentifier(name);
  const schema = escapeIdentifier(schemaName(wanted.service));
  const database = escapeIdentifier(wanted.database);
  await withClient(databaseUrl(wanted.adminUrl, wanted.database), async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
    if (!rowCount) await client.query(`CREATE ROLE ${role} NOINHERIT`);
    await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${escapeLiteral(wanted.password)}`);
    await client.query(`ALTER ROLE ${role} SET search_path TO ${schema}`);
    await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`);
    await createSchema(client, schema, role);
  });
  const url = new URL(databaseUrl(wanted.adminUrl, wanted.database));
  url.username = name;
  url.password = wanted.password;
  return url.toString();
}

/** The database to live in: the one that the URL names, unless that is the one for administration. */
export function databaseName(adminUrl: string): string {
  const named = decodeURIComponent(new URL(adminUrl).pathname.slice(1));
  return named === '' || named === 'postgres' ? 'berth' : named;
}

/** The same server, another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.toString();
}

/** Runs queries over one connection that is closed afterwards. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function createSchema(client: Client, schema: string, role: string): Promise<void> {
  const superuser = await client.query<{ rolsuper: boolean }>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  );
  // To give a schema to a role, one has to be able to become that role (PostgreSQL manual, CREATE SCHEMA).
  const borrowed = !superuser.rows[0]?.rolsuper;
  if (borrowed) await client.query(`GRANT ${role} TO CURRENT_USER`);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${role}`);
}
