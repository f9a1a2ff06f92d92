import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each team stores, a blob once however many of its repositories hold it; and room that uploads hold. See ADR 0029. */
export class TeamStorage1763900000007 implements MigrationInterface {
  readonly name = 'TeamStorage1763900000007';

  async up(runner: QueryRunner): Promise<void> {
    // A row for each blob and no sum: pushes of one team must not wait for each other.
    await runner.query(`
      CREATE TABLE team_blobs (
        team text NOT NULL,
        digest text NOT NULL,
        size bigint NOT NULL,
        holders integer NOT NULL CHECK (holders >= 0),
        PRIMARY KEY (team, digest) INCLUDE (size)
      )`);
    await runner.query(`
      INSERT INTO team_blobs (team, digest, size, holders)
      SELECT r.team, held.digest, b.size, count(*)
      FROM (SELECT repository, digest FROM blob_links UNION ALL SELECT repository, digest FROM manifests) held
      JOIN repositories r ON r.name = held.repository AND r.team IS NOT NULL
      JOIN blobs b ON b.digest = held.digest
      GROUP BY 1, 2, 3`);
    await runner.query(`
      CREATE FUNCTION add_holders() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO team_blobs AS t (team, digest, size, holders)
        SELECT r.team, a.digest, b.size, count(*)
        FROM added a
        JOIN repositories r ON r.name = a.repository AND r.team IS NOT NULL
        JOIN blobs b ON b.digest = a.digest
        GROUP BY 1, 2, 3 ORDER BY 1, 2
        ON CONFLICT (team, digest) DO UPDATE SET holders = t.holders + excluded.holders;
        RETURN NULL;
      END $$`);
    // Rows are locked in order first: whoever else takes some of the same waits, and neither for the other.
    await runner.query(`
      CREATE FUNCTION take_holders() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM FROM team_blobs t
        WHERE EXISTS (SELECT FROM removed d JOIN repositories r ON r.name = d.repository
                      WHERE r.team = t.team AND d.digest = t.digest)
        ORDER BY t.team, t.digest FOR UPDATE;
        UPDATE team_blobs t SET holders = t.holders - gone.count
        FROM (SELECT r.team, d.digest, count(*) AS count FROM removed d JOIN repositories r ON r.name = d.repository
              WHERE r.team IS NOT NULL GROUP BY 1, 2) gone
        WHERE t.team = gone.team AND t.digest = gone.digest;
        DELETE FROM team_blobs t USING removed d, repositories r
        WHERE r.name = d.repository AND t.team = r.team AND t.digest = d.digest AND t.holders = 0;
        RETURN NULL;
      END $$`);
    for (const table of ['blob_links', 'manifests']) {
      await runner.query(`CREATE TRIGGER ${table}_added AFTER INSERT ON ${table}
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION add_holders()`);
      await runner.query(`CREATE TRIGGER ${table}_removed AFTER DELETE ON ${table}
        REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION take_holders()`);
    }
    await runner.query('ALTER TABLE uploads ADD held bigint NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE uploads DROP held');
    for (const table of ['blob_links', 'manifests']) {
      await runner.query(`DROP TRIGGER ${table}_added ON ${table}`);
      await runner.query(`DROP TRIGGER ${table}_removed ON ${table}`);
    }
    await runner.query('DROP FUNCTION add_holders');
    await runner.query('DROP FUNCTION take_holders');
    await runner.query('DROP TABLE team_blobs');
  }
}
