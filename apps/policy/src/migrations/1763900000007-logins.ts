import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Logins by an identity provider, the groups it tells of, and service accounts of teams. */
export class Logins1763900000007 implements MigrationInterface {
  readonly name = 'Logins1763900000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE users ADD COLUMN team text REFERENCES teams (name) CHECK (team IS NULL OR kind = 'service')`,
    );
    await runner.query('CREATE INDEX users_team ON users (team, name) WHERE team IS NOT NULL');
    await runner.query(
      `ALTER TABLE members ADD COLUMN source text NOT NULL DEFAULT 'manual' CHECK (source IN ('manual', 'group'))`,
    );
    await runner.query(`
      CREATE TABLE identities (
        issuer text NOT NULL,
        subject text NOT NULL,
        user_name text NOT NULL REFERENCES users (name),
        groups text[] NOT NULL DEFAULT '{}',
        last_login_at timestamptz,
        PRIMARY KEY (issuer, subject)
      )`);
    await runner.query('CREATE INDEX identities_user ON identities (user_name)');
    await runner.query(`
      CREATE TABLE team_groups (
        team text NOT NULL REFERENCES teams (name),
        group_name text NOT NULL,
        role text NOT NULL CHECK (role IN ('viewer', 'developer', 'maintainer')),
        PRIMARY KEY (team, group_name)
      )`);
    // The handle itself is nowhere, and what it was exchanged for can be read with it only.
    await runner.query(`
      CREATE TABLE pending_logins (
        handle_hash text PRIMARY KEY,
        client text NOT NULL,
        sealed_code bytea NOT NULL,
        interval_seconds double precision NOT NULL,
        next_poll_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE pending_logins, team_groups, identities');
    await runner.query('ALTER TABLE members DROP COLUMN source');
    await runner.query('ALTER TABLE users DROP COLUMN team');
  }
}
