import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Limits, and the ledger that they are judged against. Amounts are integers: cpu in thousandths of a core, memory in
 * bytes. What is used is never stored, only derived from the reservations, so that it cannot drift.
 */
export class CreateLedger1763900000001 implements MigrationInterface {
  readonly name = 'CreateLedger1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE limits (
        scope text NOT NULL CHECK (scope IN ('environments', 'projects', 'teams', 'users')),
        name text NOT NULL,
        team text,
        cpu_millis bigint CHECK (cpu_millis >= 0),
        memory_bytes bigint CHECK (memory_bytes >= 0),
        instances bigint CHECK (instances >= 0),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (scope, name)
      )`);
    // A reservation that was released before it was made has no holder: it only keeps its id from being used late.
    await runner.query(`
      CREATE TABLE reservations (
        id uuid PRIMARY KEY,
        project text,
        environment text,
        team text,
        user_name text,
        cpu_millis bigint NOT NULL DEFAULT 0 CHECK (cpu_millis >= 0),
        memory_bytes bigint NOT NULL DEFAULT 0 CHECK (memory_bytes >= 0),
        instances bigint NOT NULL DEFAULT 0 CHECK (instances >= 0),
        state text NOT NULL CHECK (
          state IN ('pending', 'committed', 'replaced', 'released', 'expired', 'vacated')
        ),
        expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        decided_at timestamptz,
        CHECK (state = 'released' OR num_nulls(project, environment, team, user_name) = 0),
        CHECK (state <> 'pending' OR expires_at IS NOT NULL)
      )`);
    // What an environment runs is one release: one committed row at most.
    await runner.query(`
      CREATE UNIQUE INDEX reservations_committed ON reservations (project, environment) WHERE state = 'committed'`);
    await runner.query('CREATE INDEX reservations_holder ON reservations (project, environment)');
    for (const column of ['team', 'user_name']) {
      await runner.query(`
        CREATE INDEX reservations_live_${column} ON reservations (${column}) WHERE state IN ('pending', 'committed')`);
    }
    await runner.query(`
      CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state = 'pending'`);
    await runner.query(`
      CREATE INDEX reservations_decided ON reservations (decided_at) WHERE state NOT IN ('pending', 'committed')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE reservations');
    await runner.query('DROP TABLE limits');
  }
}
