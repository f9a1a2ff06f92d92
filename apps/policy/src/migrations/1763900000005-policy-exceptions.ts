import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where a policy denies nothing for a while, who answers for that, and why. They stay when they are over. */
export class PolicyExceptions1763900000005 implements MigrationInterface {
  readonly name = 'PolicyExceptions1763900000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE policy_exceptions (
        id uuid PRIMARY KEY,
        policy text NOT NULL,
        scope text NOT NULL,
        owner text NOT NULL,
        reason text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by text
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy_exceptions');
  }
}
