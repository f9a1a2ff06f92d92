import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A link whose lease is renewed says nothing new. */
const EVENTS = {
  tags: 'INSERT OR UPDATE OR DELETE',
  manifests: 'INSERT OR UPDATE OR DELETE',
  blob_links: 'INSERT OR DELETE',
};

/** Tells whoever listens which repository has changed, when the change is committed. */
export class CatalogNotices1763900000003 implements MigrationInterface {
  readonly name = 'CatalogNotices1763900000003';

  async up(runner: QueryRunner): Promise<void> {
    // The same said twice in a transaction is said once.
    await runner.query(`
      CREATE FUNCTION tell_catalog() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('catalog_' || TG_TABLE_SCHEMA, coalesce(NEW.repository, OLD.repository));
        RETURN NULL;
      END $$`);
    for (const [table, events] of Object.entries(EVENTS))
      await runner.query(
        `CREATE TRIGGER ${table}_notice AFTER ${events} ON ${table} FOR EACH ROW EXECUTE FUNCTION tell_catalog()`,
      );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of Object.keys(EVENTS)) await runner.query(`DROP TRIGGER ${table}_notice ON ${table}`);
    await runner.query('DROP FUNCTION tell_catalog');
  }
}
