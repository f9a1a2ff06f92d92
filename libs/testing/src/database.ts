import { randomBytes } from 'node:crypto';
import {
  createDatabase,
  createServiceDatabase,
  databaseUrl,
  newSecret,
  roleName,
  schemaName,
  withClient,
} from '@berth/host';
import { testPostgres } from './parts.js';

/** A database of one's own on the run's Postgres. */
export interface TestDatabase {
  /** As the service gets it in `DATABASE_URL`: its own role, its own schema as search_path. */
  url: string;
  /** The same database as superuser, for what a service may not do. */
  adminUrl: string;
  /** Another service's role and schema in the same database. Returns its `DATABASE_URL`. */
  addService(service: string): Promise<string>;
  /** Removes the database and its roles. Connections that are still open are ended. */
  drop(): Promise<void>;
}

/**
 * Makes a database with a service's role and schema, set up as `./berth up` does it: on the run's Postgres unless another
 * one's superuser URL is given.
 */
export async function createTestDatabase(service: string, postgresUrl?: string): Promise<TestDatabase> {
  const clusterUrl = postgresUrl ?? (await testPostgres());
  const suffix = randomBytes(4).toString('hex');
  const database = `${schemaName(service)}_${suffix}`;
  await createDatabase(clusterUrl, database);
  const roles: string[] = [];
  const addService = (name: string) => {
    const role = `${roleName(name)}_${suffix}`;
    roles.push(role);
    return createServiceDatabase({
      adminUrl: clusterUrl,
      database,
      service: name,
      password: newSecret(),
      role,
    });
  };
  return {
    url: await addService(service),
    adminUrl: databaseUrl(clusterUrl, database),
    addService,
    drop: () =>
      withClient(clusterUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
        for (const role of roles) await client.query(`DROP ROLE IF EXISTS ${role}`);
      }),
  };
}
