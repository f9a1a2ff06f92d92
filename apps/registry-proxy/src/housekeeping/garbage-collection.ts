import type { EntityManager } from 'typeorm';
import type { CollectedGarbage } from '@berth/contracts';
import { lockBlob } from '../catalog/blob-filing.js';
import type { ImageCatalog } from '../catalog/image-catalog.js';
import type { Digest } from '../names/digest.js';
import type { BlobStore } from '../store/blob-store.js';

const BATCH = 500;

/**
 * Removes bytes that no image names, beside pushes that go on. A blob that was uploaded, mounted or found by HEAD is its repository's for
 * a grace period, as the manifest that names it is yet to come (a lease); then only manifests keep it. See ADR 0026.
 */
export class GarbageCollection {
  constructor(
    private readonly database: EntityManager,
    private readonly store: BlobStore,
    private readonly catalog: ImageCatalog,
  ) {}

  /** Works until there is nothing more, or until `deadline` (of `performance.now()`), and says whether there is more. */
  async run(graceSeconds: number, deadline: number): Promise<CollectedGarbage> {
    const total = { links: 0, blobs: 0, bytes: 0, strays: 0, more: false };
    const inTime = (): boolean => performance.now() < deadline;
    for (;;) {
      const links = await this.endLeases(graceSeconds);
      total.links += links;
      if (links < BATCH) break;
      if (!inTime()) return { ...total, more: true };
    }
    for (let last = ''; ;) {
      const unnamed = await this.unnamed(last);
      for (const digest of unnamed) {
        if (!inTime()) return { ...total, more: true };
        const bytes = await this.remove(digest);
        if (bytes === null) continue;
        total.blobs += 1;
        total.bytes += bytes;
      }
      last = unnamed.at(-1) ?? '';
      if (unnamed.length < BATCH) break;
    }
    return { ...total, ...(await this.removeStrays(graceSeconds, inTime)) };
  }

  /** Takes from repositories what no manifest of theirs names, and nobody asked for within the grace period. Answers how many. */
  private async endLeases(graceSeconds: number): Promise<number> {
    return this.database.transaction(async (transaction) => {
      // Two statements: the second sees the manifests of whoever had the rows until the first got them.
      const held = await transaction.query<{ repository: string; digest: string }[]>(
        `SELECT l.repository, l.digest FROM blob_links l JOIN repositories r ON r.name = l.repository
         WHERE ${UNCLAIMED('$1')}
         ORDER BY l.repository, l.digest LIMIT $2 FOR UPDATE OF l SKIP LOCKED`,
        [graceSeconds, BATCH],
      );
      await transaction.query(
        `DELETE FROM blob_links l USING unnest($1::text[], $2::text[]) AS held (repository, digest), repositories r
         WHERE l.repository = held.repository AND l.digest = held.digest AND r.name = l.repository
           AND ${UNCLAIMED('$3')}`,
        [held.map(({ repository }) => repository), held.map(({ digest }) => digest), graceSeconds],
      );
      return held.length;
    });
  }

  private async unnamed(after: string): Promise<Digest[]> {
    const rows = await this.database.query<{ digest: Digest }[]>(
      `SELECT digest FROM blobs b WHERE digest > $1 AND ${UNNAMED} ORDER BY digest LIMIT $2`,
      [after, BATCH],
    );
    return rows.map(({ digest }) => digest);
  }

  /** Answers its bytes; null where it has come to be named meanwhile. */
  private async remove(digest: Digest): Promise<number | null> {
    return this.database.transaction(async (transaction) => {
      await lockBlob(transaction, digest);
      const [removed] = await transaction.query<[{ size: string }[], number]>(
        `DELETE FROM blobs b WHERE digest = $1 AND ${UNNAMED} RETURNING size`,
        [digest],
      );
      if (removed.length === 0) return null;
      // A crash from here on leaves a row without bytes that nothing names: the next round takes it.
      await this.store.remove(digest);
      return Number(removed[0].size);
    });
  }

  /** What a crash left in the store without a row. */
  private async removeStrays(
    graceSeconds: number,
    inTime: () => boolean,
  ): Promise<{ strays: number; more: boolean }> {
    let strays = 0;
    for await (const digest of this.store.storedBefore(new Date(Date.now() - graceSeconds * 1_000))) {
      if (!inTime()) return { strays, more: true };
      if (await this.catalog.hasBlob(digest)) continue;
      const removed = await this.database.transaction(async (transaction) => {
        await lockBlob(transaction, digest);
        if (await this.catalog.hasBlob(digest, transaction)) return false;
        await this.store.remove(digest);
        return true;
      });
      if (removed) strays += 1;
    }
    return { strays, more: false };
  }
}

/** What an upstream has waits for no push: it is fetched again. */
const CACHED_SECONDS = 600;
const UNCLAIMED = (grace: string): string =>
  `l.linked_at < now() - make_interval(secs => CASE WHEN r.team IS NULL THEN ${CACHED_SECONDS} ELSE ${grace}::int END)
   AND NOT EXISTS (SELECT FROM manifest_parts p
                   WHERE p.repository = l.repository AND p.digest = l.digest AND p.role <> 'manifest')`;
const UNNAMED = `NOT EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest)
  AND NOT EXISTS (SELECT FROM manifests m WHERE m.digest = b.digest)`;
