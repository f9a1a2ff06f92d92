import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { imageDamaged, type DamagedBlob } from '@berth/contracts';
import { draftEvent, type Outbox } from '@berth/messaging';
import { lockBlob } from '../catalog/blob-filing.js';
import { algorithmOf, type Digest } from '../names/digest.js';
import type { BlobStore } from '../store/blob-store.js';
import { hashOf } from '../store/hash-of.js';

const BATCH = 50;

interface StoredRow {
  digest: Digest;
  size: string;
}

export interface ScrubRound {
  /** What was verified since then is left out. */
  verifiedBefore: Date;
  /** Of `performance.now()`. */
  deadline: number;
  /** Bytes a second; null: as fast as it goes. */
  pace: number | null;
}

export interface Scrubbed {
  blobs: number;
  bytes: number;
  damaged: DamagedBlob[];
  more: boolean;
}

/**
 * Reads stored blobs again, those longest not verified first, and puts away those whose bytes are not what their digest says: a push or a
 * pull brings them again, and until then nobody is sent them.
 */
export class Scrub {
  constructor(
    private readonly database: EntityManager,
    private readonly store: BlobStore,
    private readonly outbox: Outbox,
  ) {}

  async run({ verifiedBefore, deadline, pace }: ScrubRound): Promise<Scrubbed> {
    const total: Scrubbed = { blobs: 0, bytes: 0, damaged: [], more: false };
    const begun = performance.now();
    for (;;) {
      const rows = await this.due(verifiedBefore);
      for (const row of rows) {
        if (performance.now() >= deadline) return { ...total, more: true };
        const damaged = await this.verify(row);
        if (damaged !== null) total.damaged.push(damaged);
        total.blobs += 1;
        total.bytes += Number(row.size);
        if (pace !== null) await delay(pauseMs(begun + (total.bytes / pace) * 1_000, deadline));
      }
      if (rows.length < BATCH) return total;
    }
  }

  private due(verifiedBefore: Date): Promise<StoredRow[]> {
    return this.database.query<StoredRow[]>(
      'SELECT digest, size FROM blobs WHERE verified_at < $1 ORDER BY verified_at, digest LIMIT $2',
      [verifiedBefore, BATCH],
    );
  }

  private async verify({ digest, size }: StoredRow): Promise<DamagedBlob | null> {
    if ((await this.damageOf(digest)) !== null) return this.putAway(digest, Number(size));
    await this.markVerified(this.database, digest);
    return null;
  }

  /** Null where it has been brought again, or has gone, meanwhile. */
  private putAway(digest: Digest, bytes: number): Promise<DamagedBlob | null> {
    return this.database.transaction(async (transaction) => {
      await lockBlob(transaction, digest);
      const damage = await this.damageOf(digest);
      await this.markVerified(transaction, digest);
      if (damage === null) return null;
      await this.store.quarantine(digest);
      const holders = await transaction.query<{ name: string; upstream: string | null }[]>(
        `SELECT name, upstream FROM repositories WHERE name IN (
           SELECT repository FROM blob_links WHERE digest = $1
           UNION SELECT repository FROM manifests WHERE digest = $1) ORDER BY name`,
        [digest],
      );
      const upstreams = holders.filter(({ upstream }) => upstream !== null).map(({ name }) => name);
      // What an upstream has is fetched again; what was pushed is still named, so that it is seen to be missing.
      for (const table of ['blob_links', 'manifests'])
        await transaction.query(`DELETE FROM ${table} WHERE digest = $1 AND repository = ANY ($2)`, [
          digest,
          upstreams,
        ]);
      const repositories = holders.filter(({ upstream }) => upstream === null).map(({ name }) => name);
      // Nobody holds it: it is garbage, and its row goes like that.
      if (holders.length === 0) return null;
      const damaged: DamagedBlob = { digest, bytes, damage, repositories, upstreams };
      await this.outbox.event(transaction, draftEvent(imageDamaged, {}, damaged));
      return damaged;
    });
  }

  private async damageOf(digest: Digest): Promise<DamagedBlob['damage'] | null> {
    const blob = await this.store.open(digest);
    if (blob === null) return 'missing';
    try {
      const algorithm = algorithmOf(digest);
      const hash = await hashOf(blob, algorithm);
      return hash !== null && `${algorithm}:${hash.digest('hex')}` === digest ? null : 'rotten';
    } finally {
      await blob.close();
    }
  }

  private async markVerified(database: EntityManager, digest: Digest): Promise<void> {
    await database.query('UPDATE blobs SET verified_at = now() WHERE digest = $1', [digest]);
  }
}

/** Until the time that so many bytes may take, or until the deadline. */
function pauseMs(until: number, deadline: number): number {
  return Math.max(0, Math.min(until, deadline) - performance.now());
}
