import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['identity_epoch', 'policy_revision'];

/** Tells whoever listens that a change of identities or policies is committed. */
export class Pulse1763900000009 implements MigrationInterface {
  readonly name = 'Pulse1763900000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION tell_pulse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('pulse_' || TG_TABLE_SCHEMA, '');
        RETURN NULL;
      END $$`);
    for (const table of TABLES)
      await runner.query(
        `CREATE TRIGGER ${table}_pulse AFTER UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION tell_pulse()`,
      );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TRIGGER ${table}_pulse ON ${table}`);
    await runner.query('DROP FUNCTION tell_pulse');
  }
}
