import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which bytes in the object storage are which blob; empty where the store is a folder. */
export class StoredBlobs1763900000010 implements MigrationInterface {
  readonly name = 'StoredBlobs1763900000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stored_blobs (
        digest text PRIMARY KEY,
        data uuid NOT NULL,
        segments jsonb NOT NULL,
        stored_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stored_blobs');
  }
}
