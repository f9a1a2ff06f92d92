import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The policies in force, and the number that every change of them raises. */
export class Policies1763900000002 implements MigrationInterface {
  readonly name = 'Policies1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE policies (
        id text PRIMARY KEY,
        text text NOT NULL,
        message text NOT NULL,
        version integer NOT NULL,
        builtin boolean NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL
      )`);
    // Which starting policies were planted once: one that an admin has removed does not come back.
    await runner.query('CREATE TABLE planted_policies (id text PRIMARY KEY)');
    // One row. Whoever changes policies locks it, so that changes happen one after the other.
    await runner.query(`
      CREATE TABLE policy_revision (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        revision integer NOT NULL
      )`);
    await runner.query('INSERT INTO policy_revision (revision) VALUES (0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy_revision, planted_policies, policies');
  }
}
