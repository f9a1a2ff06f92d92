import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What Cedar has read valid texts as, so that no other instance has to have them read. */
export class PolicyReadings1763900000010 implements MigrationInterface {
  readonly name = 'PolicyReadings1763900000010';

  async up(runner: QueryRunner): Promise<void> {
    // Not jsonb, which would put the members of records into another order.
    await runner.query(`
      CREATE TABLE policy_readings (
        reader text NOT NULL,
        text_hash text NOT NULL,
        policy json NOT NULL,
        kept_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (reader, text_hash)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy_readings');
  }
}
