import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Repositories and what is in them; the bytes themselves lie in the blob store, under their digest. */
export class Registry1763900000001 implements MigrationInterface {
  readonly name = 'Registry1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE repositories (
        name text PRIMARY KEY,
        team text,
        upstream text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT hosted_or_upstream CHECK ((team IS NULL) <> (upstream IS NULL))
      )`);
    await runner.query(`
      CREATE TABLE blobs (
        digest text PRIMARY KEY,
        size bigint NOT NULL,
        stored_at timestamptz NOT NULL DEFAULT now()
      )`);
    // A blob is stored once for all; whoever may read a repository may read the blobs linked to it, and no others.
    await runner.query(`
      CREATE TABLE blob_links (
        repository text NOT NULL REFERENCES repositories ON DELETE CASCADE,
        digest text NOT NULL REFERENCES blobs,
        linked_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (repository, digest)
      )`);
    await runner.query('CREATE INDEX blob_links_digest ON blob_links (digest)');
    await runner.query(`
      CREATE TABLE manifests (
        repository text NOT NULL REFERENCES repositories ON DELETE CASCADE,
        digest text NOT NULL REFERENCES blobs,
        media_type text NOT NULL,
        size integer NOT NULL,
        subject text,
        stored_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (repository, digest)
      )`);
    await runner.query('CREATE INDEX manifests_digest ON manifests (digest)');
    // What a manifest refers to. No foreign key on the part: an index from an upstream may list what was never pulled.
    await runner.query(`
      CREATE TABLE manifest_parts (
        repository text NOT NULL,
        manifest text NOT NULL,
        digest text NOT NULL,
        role text NOT NULL CHECK (role IN ('config', 'layer', 'manifest')),
        size bigint NOT NULL,
        PRIMARY KEY (repository, manifest, digest, role),
        FOREIGN KEY (repository, manifest) REFERENCES manifests ON DELETE CASCADE
      )`);
    await runner.query('CREATE INDEX manifest_parts_digest ON manifest_parts (digest)');
    // Compared byte by byte, as the distribution spec sorts tags.
    await runner.query(`
      CREATE TABLE tags (
        repository text NOT NULL,
        name text COLLATE "C" NOT NULL,
        digest text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        checked_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (repository, name),
        FOREIGN KEY (repository, digest) REFERENCES manifests ON DELETE CASCADE
      )`);
    // An upload goes on in any instance: its state is here, its bytes in the store under the name "part".
    await runner.query(`
      CREATE TABLE uploads (
        id uuid PRIMARY KEY,
        repository text NOT NULL REFERENCES repositories ON DELETE CASCADE,
        part text NOT NULL,
        size bigint NOT NULL DEFAULT 0,
        writer uuid,
        writer_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX uploads_updated_at ON uploads (updated_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'uploads',
      'tags',
      'manifest_parts',
      'manifests',
      'blob_links',
      'blobs',
      'repositories',
    ]) {
      await runner.query(`DROP TABLE ${table}`);
    }
  }
}
