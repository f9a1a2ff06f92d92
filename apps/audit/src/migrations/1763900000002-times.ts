import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is read again and again within a moment is one record that says how often. */
export class Times1763900000002 implements MigrationInterface {
  readonly name = 'Times1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE records ADD times integer CHECK (times > 0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE records DROP times');
  }
}
