import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Host names of services' own: each belongs to one environment at a time. */
export class CreateHosts1764400000000 implements MigrationInterface {
  readonly name = 'CreateHosts1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE host_claims (
        host text PRIMARY KEY,
        environment_id uuid NOT NULL REFERENCES environments (id) ON DELETE CASCADE
      )`);
    await runner.query('CREATE INDEX host_claims_of_environment ON host_claims (environment_id)');
    // What runs already runs without any.
    await runner.query(`
      UPDATE deployments SET spec = spec || jsonb_build_object('services', COALESCE((
        SELECT jsonb_object_agg(service.key, '{"hosts": []}'::jsonb || service.value)
        FROM jsonb_each(spec -> 'services') AS service
      ), '{}'::jsonb))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE host_claims');
  }
}
