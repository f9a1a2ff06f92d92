import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a list of referrers tells of each, so that none of their manifests has to be read for it. */
export class Referrers1763900000002 implements MigrationInterface {
  readonly name = 'Referrers1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE manifests ADD artifact_type text, ADD annotations jsonb');
    await runner.query(
      'CREATE INDEX manifests_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX manifests_subject');
    await runner.query('ALTER TABLE manifests DROP artifact_type, DROP annotations');
  }
}
