import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users, teams, who is what in which, and tokens: of those only the SHA-256. */
export class Identity1763900000001 implements MigrationInterface {
  readonly name = 'Identity1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        name text PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('user', 'service')),
        admin boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE teams (
        name text PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE members (
        team text NOT NULL REFERENCES teams (name),
        user_name text NOT NULL REFERENCES users (name),
        role text NOT NULL CHECK (role IN ('viewer', 'developer', 'maintainer')),
        PRIMARY KEY (team, user_name)
      )`);
    await runner.query('CREATE INDEX members_user ON members (user_name)');
    await runner.query(`
      CREATE TABLE tokens (
        id uuid PRIMARY KEY,
        user_name text NOT NULL REFERENCES users (name),
        name text NOT NULL,
        hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        revoked_at timestamptz
      )`);
    await runner.query('CREATE INDEX tokens_user ON tokens (user_name, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tokens, members, teams, users');
  }
}
