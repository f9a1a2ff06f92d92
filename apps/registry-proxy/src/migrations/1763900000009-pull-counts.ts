import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much of what was pulled was here already, by day (UTC): of all instances, and past their ends. */
export class PullCounts1763900000009 implements MigrationInterface {
  readonly name = 'PullCounts1763900000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE pull_counts (
        day date NOT NULL,
        kind text NOT NULL CHECK (kind IN ('manifests', 'blobs')),
        source text NOT NULL CHECK (source IN ('hosted', 'cache', 'stale', 'upstream')),
        pulls bigint NOT NULL,
        PRIMARY KEY (day, kind, source)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE pull_counts');
  }
}
