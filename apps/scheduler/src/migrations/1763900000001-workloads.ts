import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What should run: projects, their environments, releases, and the deployments that bring them. */
export class CreateWorkloads1763900000001 implements MigrationInterface {
  readonly name = 'CreateWorkloads1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE projects (
        name text PRIMARY KEY,
        team text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX projects_of_team ON projects (team, name)');
    // A release belongs to its project: what it is called says what it is, and nothing about who may see it.
    await runner.query(`
      CREATE TABLE releases (
        project text NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
        digest text NOT NULL,
        spec jsonb NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (project, digest)
      )`);
    await runner.query(`
      CREATE TABLE environments (
        id uuid PRIMARY KEY,
        project text NOT NULL REFERENCES projects (name),
        name text NOT NULL,
        team text NOT NULL,
        variables jsonb NOT NULL,
        release text,
        removing_since timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (project, name),
        FOREIGN KEY (project, release) REFERENCES releases (project, digest)
      )`);
    await runner.query(`
      CREATE TABLE deployments (
        id uuid PRIMARY KEY,
        environment_id uuid NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
        project text NOT NULL,
        environment text NOT NULL,
        team text NOT NULL,
        release text NOT NULL,
        previous_release text,
        status text NOT NULL CHECK (
          status IN ('pending', 'running', 'succeeded', 'failed', 'denied', 'cancelled')
        ),
        reason text,
        steps jsonb NOT NULL,
        created_by text NOT NULL,
        permission jsonb NOT NULL,
        undo jsonb,
        cancelled_by text,
        deadline timestamptz NOT NULL,
        lease_owner uuid,
        lease_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CHECK ((finished_at IS NULL) = (status IN ('pending', 'running')))
      )`);
    await runner.query(`
      CREATE UNIQUE INDEX deployments_under_way ON deployments (environment_id)
      WHERE status IN ('pending', 'running')`);
    await runner.query('CREATE INDEX deployments_of_environment ON deployments (environment_id, id DESC)');
    // A port of the nodes can be held by one environment only; it is claimed before anything is started.
    await runner.query(`
      CREATE TABLE port_claims (
        port int NOT NULL,
        protocol text NOT NULL,
        environment_id uuid NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
        PRIMARY KEY (port, protocol)
      )`);
    await runner.query('CREATE INDEX port_claims_of_environment ON port_claims (environment_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['port_claims', 'deployments', 'environments', 'releases', 'projects'])
      await runner.query(`DROP TABLE ${table}`);
  }
}
