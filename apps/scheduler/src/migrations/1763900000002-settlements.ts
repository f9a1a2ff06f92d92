import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What quota is still to be told: written with the change that decides it, deleted once quota has answered. */
export class CreateSettlements1763900000002 implements MigrationInterface {
  readonly name = 'CreateSettlements1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE settlements (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('commit', 'release', 'vacate')),
        reservation uuid,
        project text,
        environment text,
        correlation_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK (CASE kind WHEN 'vacate' THEN num_nulls(project, environment) = 0 ELSE reservation IS NOT NULL END)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE settlements');
  }
}
