import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which instance fetches a blob, so that the others need not. */
export class BlobFetches1763900000004 implements MigrationInterface {
  readonly name = 'BlobFetches1763900000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE blob_fetches (
        repository text NOT NULL,
        digest text NOT NULL,
        holder uuid NOT NULL,
        partial text,
        size bigint,
        failure jsonb,
        renewed_at timestamptz NOT NULL,
        PRIMARY KEY (repository, digest)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE blob_fetches');
  }
}
