import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a service of an older release does not say; see `ServiceSpec` and `RunService`. */
const OLDER_SERVICE = '{"http": null, "secrets": [], "restarts": 0}';

/**
 * A release becomes what environments share, and what an environment adds to it becomes a thing of its own: its
 * configuration, in versions. What is to run is written down with each deployment.
 */
export class CreateConfigurations1764000000000 implements MigrationInterface {
  readonly name = 'CreateConfigurations1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE configurations (
        environment_id uuid NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
        version int NOT NULL,
        variables jsonb NOT NULL,
        services jsonb NOT NULL,
        restarts jsonb NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (environment_id, version)
      )`);
    await runner.query(`
      INSERT INTO configurations (environment_id, version, variables, services, restarts, created_by)
      SELECT id, 1, variables, '{}', '{}', 'berth' FROM environments`);
    await runner.query(`
      ALTER TABLE environments
        ADD COLUMN services jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN restarts jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN configuration int NOT NULL DEFAULT 1,
        ADD COLUMN deployment uuid`);
    await runner.query(`
      ALTER TABLE deployments
        ADD COLUMN cause text NOT NULL DEFAULT 'deploy',
        ADD COLUMN configuration int NOT NULL DEFAULT 1,
        ADD COLUMN previous_deployment uuid,
        ADD COLUMN spec jsonb`);
    // Releases of before hold what one environment ran, and no file: they can run on, but not be rendered again.
    await runner.query(`
      UPDATE deployments d SET spec = jsonb_build_object(
        'volumes', r.spec -> 'volumes',
        'secrets', '{}'::jsonb,
        'services', (
          SELECT jsonb_object_agg(service.key, '${OLDER_SERVICE}'::jsonb || service.value)
          FROM jsonb_each(r.spec -> 'services') AS service
        )
      )
      FROM releases r WHERE r.project = d.project AND r.digest = d.release`);
    await runner.query('ALTER TABLE deployments ALTER COLUMN spec SET NOT NULL');
    for (const column of ['cause', 'configuration'])
      await runner.query(`ALTER TABLE deployments ALTER COLUMN ${column} DROP DEFAULT`);
    await runner.query(`
      UPDATE environments e SET deployment = (
        SELECT d.id FROM deployments d
        WHERE d.environment_id = e.id AND d.release = e.release AND d.status = 'succeeded'
        ORDER BY d.id DESC LIMIT 1
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE deployments
        DROP COLUMN cause, DROP COLUMN configuration, DROP COLUMN previous_deployment, DROP COLUMN spec`);
    await runner.query(`
      ALTER TABLE environments
        DROP COLUMN services, DROP COLUMN restarts, DROP COLUMN configuration, DROP COLUMN deployment`);
    await runner.query('DROP TABLE configurations');
  }
}
