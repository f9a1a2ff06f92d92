import type { EntityManager } from 'typeorm';

const BATCH = 20;
/** What was pulled so lately stays, however full it is: whoever pulled it may still be at its layers. */
const SPARED_MINUTES = 10;

/**
 * Keeps what was pulled through under a size: the images that nobody has pulled for longest go first. Their bytes go with the next
 * collection of garbage; who asks for them again gets them from the upstream.
 */
export class CacheEviction {
  constructor(private readonly database: EntityManager) {}

  /** Answers how many images went. */
  async run(mostBytes: number): Promise<number> {
    let evicted = 0;
    while ((await this.cachedBytes()) > mostBytes) {
      const count = await this.evictOldest();
      if (count === 0) break;
      evicted += count;
    }
    return evicted;
  }

  /** Bytes of the blobs that images of upstreams name, and nothing that was pushed. */
  private async cachedBytes(): Promise<number> {
    const [{ bytes }] = await this.database.query<[{ bytes: string }]>(
      `SELECT coalesce(sum(size), 0) AS bytes FROM blobs b
       WHERE EXISTS (SELECT FROM blob_links l JOIN repositories r ON r.name = l.repository
                     WHERE l.digest = b.digest AND r.upstream IS NOT NULL AND ${IN_USE})
         AND NOT EXISTS (SELECT FROM blob_links l JOIN repositories r ON r.name = l.repository
                         WHERE l.digest = b.digest AND r.team IS NOT NULL)`,
    );
    return Number(bytes);
  }

  private async evictOldest(): Promise<number> {
    const [, count] = await this.database.query<[unknown[], number]>(
      `DELETE FROM manifests WHERE (repository, digest) IN (
         SELECT m.repository, m.digest FROM manifests m JOIN repositories r ON r.name = m.repository
         WHERE r.upstream IS NOT NULL AND m.used_at < now() - make_interval(mins => $1)
         ORDER BY m.used_at LIMIT $2)`,
      [SPARED_MINUTES, BATCH],
    );
    return count;
  }
}

const IN_USE = `(l.linked_at > now() - interval '${SPARED_MINUTES} minutes'
  OR EXISTS (SELECT FROM manifest_parts p WHERE p.repository = l.repository AND p.digest = l.digest AND p.role <> 'manifest'))`;
