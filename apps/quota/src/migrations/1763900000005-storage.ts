import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bytes that a team's images may take; what they take is counted by the registry. See ADR 0029. */
export class LimitStorage1763900000005 implements MigrationInterface {
  readonly name = 'LimitStorage1763900000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE limits ADD storage_bytes bigint CHECK (storage_bytes >= 0),
        ADD CONSTRAINT storage_is_of_teams CHECK (storage_bytes IS NULL OR scope = 'teams')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE limits DROP CONSTRAINT storage_is_of_teams, DROP storage_bytes');
  }
}
