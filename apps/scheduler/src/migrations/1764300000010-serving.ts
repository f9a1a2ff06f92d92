import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a deployment that is under way is where requests are led to already. */
export class AddServing1764300000010 implements MigrationInterface {
  readonly name = 'AddServing1764300000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deployments ADD COLUMN serving boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE deployments DROP COLUMN serving');
  }
}
