import { randomUUID } from 'node:crypto';
import type { Logger } from '@berth/runtime';
import type { Digest } from '../names/digest.js';
import { joinObjects, MOST_PARTS, partsOf } from './object-join.js';
import type { ObjectLayout } from './object-layout.js';
import { SEGMENT_BYTES } from './object-partial-blob.js';
import { bytesOf, type Segment } from './segments.js';

/** For one that begins to read; who was let in once is let go on. */
const ADDRESS_SECONDS = 300;
/** After a failure: a storage that cannot do it is not asked with each pull. */
const PAUSE_MS = 5 * 60_000;
const MOST_WAITING = 1_000;

/**
 * Sends clients to the storage itself, for blobs that have more than a segment. Such a blob is made one object behind the first client that
 * reads it, which has it from here. One at a time.
 */
export class WholeObjects {
  private readonly waiting = new Set<Digest>();
  private readonly stopping = new AbortController();
  private turn: Promise<void> = Promise.resolve();
  private pausedUntil = 0;

  constructor(
    private readonly layout: ObjectLayout,
    private readonly logger: Logger,
  ) {}

  /** Null where it is to be sent from here. */
  async address(digest: Digest, segments: readonly Segment[]): Promise<string | null> {
    const { storage } = this.layout;
    if (!storage.redirects || bytesOf(segments) <= SEGMENT_BYTES) return null;
    const [{ key }] = segments;
    if (this.layout.isWhole(key)) return storage.address(key, ADDRESS_SECONDS);
    this.want(digest);
    return null;
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.turn;
  }

  private want(digest: Digest): void {
    if (this.waiting.has(digest) || this.waiting.size >= MOST_WAITING || Date.now() < this.pausedUntil)
      return;
    this.waiting.add(digest);
    this.turn = this.turn.then(async () => {
      try {
        if (!this.stopping.signal.aborted) await this.make(digest);
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.pausedUntil = Date.now() + PAUSE_MS;
        this.logger.warn({ err: error, digest }, 'blob.not-made-whole');
      } finally {
        this.waiting.delete(digest);
      }
    });
  }

  private async make(digest: Digest): Promise<void> {
    const before = await this.layout.filed(digest);
    // Another instance was faster, or it is gone.
    if (before === null || this.layout.isWhole(before.segments[0].key)) return;
    const parts = partsOf(before.segments);
    if (parts.length > MOST_PARTS) return;
    const name = randomUUID();
    const key = this.layout.wholeKey(name);
    const after = { data: name, segments: [{ key, size: bytesOf(before.segments) }] };
    await this.layout.announce(digest, after);
    try {
      await joinObjects(this.layout.storage, key, parts, this.stopping.signal);
      await this.requireSize(key, after.segments[0].size);
      await this.layout.replace(digest, before, after);
    } finally {
      // The bytes go if they are not the blob's.
      await this.layout.discard(name);
    }
  }

  private async requireSize(key: string, size: number): Promise<void> {
    const stored = await this.layout.storage.size(key);
    if (stored !== size) throw new Error(`${key} became ${stored} bytes instead of ${size}`);
  }
}
