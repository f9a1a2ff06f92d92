import type { EntityManager } from 'typeorm';

const STORED = `
  SELECT coalesce(sum(size) FILTER (WHERE hosted), 0) AS hosted, coalesce(sum(size) FILTER (WHERE NOT hosted), 0) AS cached
  FROM (SELECT size, EXISTS (SELECT FROM blob_links l JOIN repositories r ON r.name = l.repository
                             WHERE l.digest = b.digest AND r.team IS NOT NULL) AS hosted
        FROM blobs b WHERE EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest)) blobs`;

/** Bytes of blobs, each once: those that repositories of teams hold, and those that only what was pulled through does. */
export async function storedBytes(database: EntityManager): Promise<{ hosted: number; cached: number }> {
  const [bytes] = await database.query<[{ hosted: string; cached: string }]>(STORED);
  return { hosted: Number(bytes.hosted), cached: Number(bytes.cached) };
}
