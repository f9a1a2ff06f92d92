import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which instances policy has judged, and which services it keeps from running since. */
export class AddHaltedServices1764500000000 implements MigrationInterface {
  readonly name = 'AddHaltedServices1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE environments
        ADD COLUMN judged jsonb,
        ADD COLUMN halted jsonb NOT NULL DEFAULT '[]'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE environments DROP COLUMN judged, DROP COLUMN halted');
  }
}
