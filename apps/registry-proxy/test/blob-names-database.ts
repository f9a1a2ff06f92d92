import { createTestDatabase, type TestDatabase } from '@berth/testing';
import { DataSource } from 'typeorm';
import { StoredBlobs1763900000010 } from '../src/migrations/1763900000010-stored-blobs.js';

/** With the table that says which bytes are which blob, and no other. */
export async function blobNamesDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase('registry-proxy');
  const source = new DataSource({
    type: 'postgres',
    url: database.url,
    migrations: [StoredBlobs1763900000010],
  });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
  return database;
}
