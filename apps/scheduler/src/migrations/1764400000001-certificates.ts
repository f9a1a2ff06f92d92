import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Certificates that were brought; their keys are encrypted as secrets are. */
export class CreateCertificates1764400000001 implements MigrationInterface {
  readonly name = 'CreateCertificates1764400000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE certificates (
        host text PRIMARY KEY,
        version int NOT NULL,
        certificate text NOT NULL,
        names jsonb NOT NULL,
        issuer text NOT NULL,
        fingerprint text NOT NULL,
        expires_at timestamptz NOT NULL,
        wrapped_key bytea NOT NULL,
        nonce bytea NOT NULL,
        ciphertext bytea NOT NULL,
        key_id text NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE certificates');
  }
}
