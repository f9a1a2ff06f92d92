import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log, append-only, and beside it what came in and was no record. */
export class CreateRecords1763900000001 implements MigrationInterface {
  readonly name = 'CreateRecords1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    // Milliseconds, as in a JavaScript Date: a page's cursor must name a row's time exactly.
    await runner.query(`
      CREATE TABLE records (
        id uuid PRIMARY KEY,
        time timestamptz(3) NOT NULL,
        source text NOT NULL,
        action text COLLATE "C" NOT NULL,
        kind text NOT NULL,
        outcome text NOT NULL,
        code text,
        reason text,
        actor text NOT NULL,
        token_id uuid,
        team text,
        project text,
        environment text,
        resource_type text NOT NULL,
        resource_id text NOT NULL,
        policies jsonb NOT NULL,
        decisions uuid[] NOT NULL,
        correlation_id text NOT NULL,
        request jsonb NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now()
      )`);
    // Each filter with the order of a page, so that a page is read off an index and nothing is sorted.
    for (const [name, columns] of [
      ['time', ''],
      ['team', 'team, '],
      ['actor', 'actor, '],
      ['action', 'action, '],
      ['resource', 'resource_type, resource_id, '],
      ['outcome', 'outcome, '],
      ['correlation', 'correlation_id, '],
    ]) {
      await runner.query(`CREATE INDEX records_${name} ON records (${columns}time DESC, id DESC)`);
    }
    // What a list shows unless asked for more: among many pulls, the few changes must not be far apart.
    for (const [name, columns] of [
      ['time', ''],
      ['team', 'team, '],
    ]) {
      await runner.query(`
        CREATE INDEX records_telling_${name} ON records (${columns}time DESC, id DESC)
        WHERE NOT (kind = 'read' AND outcome = 'succeeded')`);
    }
    await runner.query(`
      CREATE TABLE rejected (
        sequence bigint NOT NULL,
        digest text NOT NULL,
        subject text NOT NULL,
        payload bytea NOT NULL,
        reason text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (sequence, digest)
      )`);
    await this.makeAppendOnly(runner, 'records');
    await this.makeAppendOnly(runner, 'rejected');
  }

  /** The role owns its tables, so a withheld privilege alone would be one that it can give itself back. */
  private async makeAppendOnly(runner: QueryRunner, table: string): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
      END $$`);
    await runner.query(`
      CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()`);
    await runner.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER append_only`);
    await runner.query(`REVOKE UPDATE, DELETE, TRUNCATE ON ${table} FROM CURRENT_USER`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rejected');
    await runner.query('DROP TABLE records');
    await runner.query('DROP FUNCTION refuse_rewriting');
  }
}
