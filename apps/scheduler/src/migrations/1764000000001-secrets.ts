import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Secrets of environments: each version of each is encrypted with a key of its own, which is wrapped. */
export class CreateSecrets1764000000001 implements MigrationInterface {
  readonly name = 'CreateSecrets1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    // Of a removed secret nothing but its numbers is kept: a version that meant one value never comes to mean another.
    await runner.query(`
      CREATE TABLE secrets (
        environment_id uuid NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
        name text NOT NULL,
        version int NOT NULL CHECK (version > 0),
        wrapped_key bytea,
        nonce bytea,
        ciphertext bytea,
        key_id text,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (environment_id, name, version),
        CHECK (num_nulls(wrapped_key, nonce, ciphertext, key_id) IN (0, 4))
      )`);
    await runner.query('CREATE INDEX secrets_of_key ON secrets (key_id) WHERE key_id IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE secrets');
  }
}
