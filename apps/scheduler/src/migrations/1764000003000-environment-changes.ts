import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tells, at commit, which environment is another than before: `NOTIFY environments_<schema>` with its id. For those who
 * watch one.
 */
export class CreateEnvironmentChanges1764000003000 implements MigrationInterface {
  readonly name = 'CreateEnvironmentChanges1764000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION environment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_TABLE_NAME = 'environments' THEN
          PERFORM pg_notify('environments_' || TG_TABLE_SCHEMA, COALESCE(NEW.id, OLD.id)::text);
        ELSE
          PERFORM pg_notify('environments_' || TG_TABLE_SCHEMA, COALESCE(NEW.environment_id, OLD.environment_id)::text);
        END IF;
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER environment_changed AFTER INSERT OR UPDATE OR DELETE ON environments
      FOR EACH ROW EXECUTE FUNCTION environment_changed()`);
    // Not of its steps and its lease, which change all the time.
    await runner.query(`
      CREATE TRIGGER environment_changed AFTER INSERT OR UPDATE OF status ON deployments
      FOR EACH ROW EXECUTE FUNCTION environment_changed()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER environment_changed ON deployments');
    await runner.query('DROP TRIGGER environment_changed ON environments');
    await runner.query('DROP FUNCTION environment_changed');
  }
}
