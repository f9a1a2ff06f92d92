import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When bytes were last held against their digest, and when an image of an upstream was last pulled. */
export class Upkeep1763900000005 implements MigrationInterface {
  readonly name = 'Upkeep1763900000005';

  async up(runner: QueryRunner): Promise<void> {
    // Whatever is stored was verified when it came.
    await runner.query('ALTER TABLE blobs ADD verified_at timestamptz NOT NULL DEFAULT now()');
    await runner.query('UPDATE blobs SET verified_at = stored_at');
    await runner.query('CREATE INDEX blobs_verified ON blobs (verified_at, digest)');
    await runner.query('ALTER TABLE manifests ADD used_at timestamptz NOT NULL DEFAULT now()');
    await runner.query('CREATE INDEX manifests_used ON manifests (used_at)');
    // An image that is pulled is no change of what a repository holds.
    await runner.query('DROP TRIGGER manifests_notice ON manifests');
    await runner.query(`CREATE TRIGGER manifests_notice
      AFTER INSERT OR DELETE OR UPDATE OF media_type, size, subject, artifact_type, annotations ON manifests
      FOR EACH ROW EXECUTE FUNCTION tell_catalog()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER manifests_notice ON manifests');
    await runner.query(`CREATE TRIGGER manifests_notice AFTER INSERT OR UPDATE OR DELETE ON manifests
      FOR EACH ROW EXECUTE FUNCTION tell_catalog()`);
    await runner.query('ALTER TABLE manifests DROP used_at');
    await runner.query('ALTER TABLE blobs DROP verified_at');
  }
}
