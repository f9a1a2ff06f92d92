import type { EntityManager } from 'typeorm';
import type { HeldImage, HeldTag, RepositoryContents } from './retention-choice.js';

/** All tags and images of a repository, as they are in one moment. */
export async function readContents(database: EntityManager, repository: string): Promise<RepositoryContents> {
  return database.transaction('REPEATABLE READ', async (transaction) => ({
    tags: await transaction.query<HeldTag[]>(
      'SELECT name, digest, updated_at AS "setAt" FROM tags WHERE repository = $1',
      [repository],
    ),
    images: await transaction.query<HeldImage[]>(
      `SELECT m.digest, m.subject, m.stored_at AS "storedAt", m.used_at AS "pulledAt",
              coalesce(array_agg(p.digest) FILTER (WHERE p.digest IS NOT NULL), '{}') AS lists
       FROM manifests m LEFT JOIN manifest_parts p
         ON p.repository = m.repository AND p.manifest = m.digest AND p.role = 'manifest'
       WHERE m.repository = $1 GROUP BY m.repository, m.digest ORDER BY m.digest`,
      [repository],
    ),
  }));
}
