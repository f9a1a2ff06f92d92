import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where a policy holds and how hard, whom to ask about it, and all that it ever was. */
export class PolicyBindings1763900000004 implements MigrationInterface {
  readonly name = 'PolicyBindings1763900000004';

  async up(runner: QueryRunner): Promise<void> {
    // What was stored before held everywhere, and denied.
    await runner.query(`
      ALTER TABLE policies
        ADD COLUMN owner text,
        ADD COLUMN bindings jsonb NOT NULL DEFAULT '[{"scope": "platform", "mode": "deny"}]'`);
    await runner.query(`
      CREATE TABLE policy_versions (
        policy text NOT NULL,
        version integer NOT NULL,
        change text NOT NULL,
        text text,
        bindings jsonb NOT NULL,
        revision integer NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        by text NOT NULL,
        PRIMARY KEY (policy, version)
      )`);
    await runner.query(`
      INSERT INTO policy_versions (policy, version, change, text, bindings, revision, at, by)
      SELECT id, version, 'applied', text, bindings, (SELECT revision FROM policy_revision), updated_at, updated_by FROM policies`);
    await runner.query(`ALTER TABLE decisions ADD COLUMN advice jsonb NOT NULL DEFAULT '[]'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE decisions DROP COLUMN advice');
    await runner.query('DROP TABLE policy_versions');
    await runner.query('ALTER TABLE policies DROP COLUMN owner, DROP COLUMN bindings');
  }
}
