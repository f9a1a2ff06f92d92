import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whom to ask beside the policies. No secret is kept: it is made of `secret_id` and the key of the service. */
export class PolicyHooks1763900000006 implements MigrationInterface {
  readonly name = 'PolicyHooks1763900000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE policy_hooks (
        name text PRIMARY KEY,
        url text,
        on_hooks jsonb NOT NULL,
        scope text NOT NULL,
        timeout_ms integer NOT NULL,
        on_failure text NOT NULL,
        secret_id uuid,
        updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy_hooks');
  }
}
