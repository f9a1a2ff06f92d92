import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Resources of environments: part of their configurations. The catalogs of teams, and backups and restores. */
export class CreateResources1764300000000 implements MigrationInterface {
  readonly name = 'CreateResources1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE environments ADD COLUMN resources jsonb NOT NULL DEFAULT '{}'`);
    await runner.query(`ALTER TABLE configurations ADD COLUMN resources jsonb NOT NULL DEFAULT '{}'`);
    // What runs already runs without any.
    await runner.query(`
      UPDATE deployments SET spec = spec || jsonb_build_object(
        'resources', '{}'::jsonb,
        'services', COALESCE((
          SELECT jsonb_object_agg(service.key, '{"uses": []}'::jsonb || service.value)
          FROM jsonb_each(spec -> 'services') AS service
        ), '{}'::jsonb)
      )`);
    await runner.query(`
      CREATE TABLE catalog_entries (
        team text NOT NULL,
        name text NOT NULL,
        file text NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (team, name)
      )`);
    await runner.query(`
      CREATE TABLE resource_operations (
        id uuid PRIMARY KEY,
        environment_id uuid NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
        team text NOT NULL,
        project text NOT NULL,
        environment text NOT NULL,
        resource text NOT NULL,
        kind text NOT NULL,
        backup uuid,
        status text NOT NULL,
        step text,
        reason text,
        bytes bigint,
        fingerprint text,
        permission jsonb NOT NULL,
        lease_owner uuid,
        lease_until timestamptz,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      )`);
    await runner.query(`
      CREATE UNIQUE INDEX one_operation_of_a_resource ON resource_operations (environment_id, resource)
      WHERE status = 'running'`);
    await runner.query(
      'CREATE INDEX operations_of_a_resource ON resource_operations (environment_id, resource, id DESC)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE resource_operations');
    await runner.query('DROP TABLE catalog_entries');
    for (const table of ['environments', 'configurations'])
      await runner.query(`ALTER TABLE ${table} DROP COLUMN resources`);
  }
}
