import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Registries that admins have added, to pull images through from. */
export class Upstreams1763900000006 implements MigrationInterface {
  readonly name = 'Upstreams1763900000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE upstreams (
        name text PRIMARY KEY,
        url text NOT NULL,
        username text,
        password bytea,
        token_hosts text[] NOT NULL,
        set_by text NOT NULL,
        set_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((username IS NULL) = (password IS NULL))
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE upstreams');
  }
}
