import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rules by which images of teams go. */
export class Retention1763900000008 implements MigrationInterface {
  readonly name = 'Retention1763900000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE retention_rules (
        scope text PRIMARY KEY,
        team text NOT NULL,
        keep_last integer CHECK (keep_last > 0),
        older_than_seconds bigint CHECK (older_than_seconds > 0),
        tags text NOT NULL,
        set_by text NOT NULL,
        set_at timestamptz NOT NULL DEFAULT now(),
        CHECK (num_nonnulls(keep_last, older_than_seconds) > 0)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE retention_rules');
  }
}
