import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every decision, for as long as the setting says: what was asked, by whom, and what the answer was. */
export class Decisions1763900000003 implements MigrationInterface {
  readonly name = 'Decisions1763900000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE decisions (
        id uuid PRIMARY KEY,
        time timestamptz NOT NULL,
        action text NOT NULL,
        hook text NOT NULL,
        principal text NOT NULL,
        token_id uuid,
        resource jsonb NOT NULL,
        context jsonb NOT NULL,
        allowed boolean NOT NULL,
        policies jsonb NOT NULL,
        revision integer NOT NULL,
        correlation_id text NOT NULL
      )`);
    // Rows come in the order of time, which is all that a block range index needs.
    await runner.query('CREATE INDEX decisions_time ON decisions USING brin (time)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE decisions');
  }
}
