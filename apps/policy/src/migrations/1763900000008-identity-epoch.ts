import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['users', 'members', 'tokens'];

/**
 * A number that grows with each change of who somebody is. At the end of the transaction that makes one, and so together with it; and so
 * that transactions stand in line for an instant only.
 */
export class IdentityEpoch1763900000008 implements MigrationInterface {
  readonly name = 'IdentityEpoch1763900000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE identity_epoch (epoch bigint NOT NULL)');
    await runner.query('INSERT INTO identity_epoch VALUES (1)');
    await runner.query(`
      CREATE FUNCTION raise_identity_epoch() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      BEGIN
        UPDATE identity_epoch SET epoch = epoch + 1;
        RETURN NULL;
      END $$`);
    for (const table of TABLES) {
      await runner.query(`
        CREATE CONSTRAINT TRIGGER ${table}_epoch AFTER INSERT OR UPDATE OR DELETE ON ${table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_identity_epoch()`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TRIGGER ${table}_epoch ON ${table}`);
    await runner.query('DROP FUNCTION raise_identity_epoch');
    await runner.query('DROP TABLE identity_epoch');
  }
}
