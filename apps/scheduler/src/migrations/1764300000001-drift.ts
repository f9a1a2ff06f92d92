import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an environment does about changes behind Berth's back, and what was last found of them. */
export class AddDrift1764300000001 implements MigrationInterface {
  readonly name = 'AddDrift1764300000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE environments
        ADD COLUMN on_drift text NOT NULL DEFAULT 'report',
        ADD COLUMN drift jsonb`);
    await runner.query('ALTER TABLE environments ALTER COLUMN on_drift DROP DEFAULT');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE environments DROP COLUMN on_drift, DROP COLUMN drift');
  }
}
