import { createHash } from 'node:crypto';
import { algorithmOf, type Digest } from '../names/digest.js';
import type { PartialBlob } from '../store/blob-store.js';
import { upstreamUnavailable } from '../upstream/upstream-error.js';

/**
 * Bytes at the end that nobody is sent before the digest of the whole is right: a client that was sent less than all
 * of a blob knows that it has none.
 */
export const HELD_BACK = 64 * 1024;
/** Bytes that may wait for the disk before the upstream is asked to wait. */
const MOST_QUEUED = 4 * 1024 * 1024;
/** Bytes taken of a blob whose size nobody told: a hostile upstream may never end. */
const MOST_OF_UNKNOWN = 64 * 1024 ** 3;

/** One blob on its way from an upstream to the store, from which any number of clients is fed meanwhile. */
export class BlobFetch {
  private readonly waiting = new Set<() => void>();
  private queue: Buffer[] = [];
  private queued = 0;
  private failure: Error | null = null;
  private verified = false;
  private ended = false;
  private readers = 0;

  constructor(
    readonly digest: Digest,
    /** Bytes, as the upstream or a manifest tells; null when neither does. */
    readonly toldSize: number | null,
    private readonly partial: PartialBlob,
    private readonly upstream: string,
  ) {}

  /**
   * Bytes of the whole blob, once they are known. Behind an upstream that tells no size this waits for all of it: a client
   * that cannot be told the length could take a broken transfer for a whole one.
   */
  async size(): Promise<number> {
    if (this.toldSize !== null) return this.toldSize;
    await this.until(() => this.verified);
    return this.partial.size;
  }

  /** Waits until at least one byte at `position` may be sent, and says up to where. Throws when the fetch failed. */
  async sendable(position: number): Promise<number> {
    await this.until(() => this.verified || this.released() > position);
    return this.released();
  }

  /** Bytes from `position`, which `sendable` has let go. */
  read(buffer: Buffer, position: number): Promise<number> {
    return this.partial.read(buffer, position);
  }

  /** Keeps the bytes readable until `leave`, also after the end. False when it has ended already: look again. */
  enter(): boolean {
    if (this.ended) return false;
    this.readers += 1;
    return true;
  }

  async leave(): Promise<void> {
    this.readers -= 1;
    await this.closeIfUnused();
  }

  /**
   * Takes in the body. Once the digest is verified, `keep` files the blob, and only then are the last bytes let go:
   * whoever has all of a blob got it from what is stored. Never rejects: answers the failure that readers are told of.
   */
  async run(body: AsyncIterable<Buffer>, keep: () => Promise<void>): Promise<Error | null> {
    try {
      await this.receive(body);
      await keep();
      this.verified = true;
    } catch (error) {
      this.failure = error as Error;
      await this.partial.discard().catch(() => undefined);
    } finally {
      this.ended = true;
      this.wake();
      await this.closeIfUnused();
    }
    return this.failure;
  }

  private async receive(body: AsyncIterable<Buffer>): Promise<void> {
    const algorithm = algorithmOf(this.digest);
    const hash = createHash(algorithm);
    let writing: Promise<void> = Promise.resolve();
    const disk: { failure: Error | null } = { failure: null };
    let arrived = 0;
    try {
      for await (const chunk of body) {
        arrived += chunk.length;
        if (arrived > (this.toldSize ?? MOST_OF_UNKNOWN)) break;
        hash.update(chunk);
        this.queue.push(chunk);
        this.queued += chunk.length;
        // What arrives while the disk is busy is written in one go afterwards.
        if (this.queue.length === 1) {
          writing = writing.then(() => this.flush()).catch((error: Error) => void (disk.failure ??= error));
        }
        if (this.queued > MOST_QUEUED) await writing;
        if (disk.failure !== null) throw disk.failure;
      }
    } finally {
      await writing;
    }
    if (disk.failure !== null) throw disk.failure;
    this.verify(`${algorithm}:${hash.digest('hex')}`, arrived);
  }

  private verify(actual: Digest, arrived: number): void {
    if (this.toldSize !== null && arrived !== this.toldSize) {
      throw upstreamUnavailable(
        this.upstream,
        'invalid',
        `sent ${arrived} bytes or more of ${this.digest}, which should be ${this.toldSize}`,
      );
    }
    if (actual !== this.digest) {
      throw upstreamUnavailable(
        this.upstream,
        'invalid',
        `sent bytes for ${this.digest} whose digest is ${actual}`,
      );
    }
  }

  private async flush(): Promise<void> {
    const chunks = this.queue;
    this.queue = [];
    await this.partial.append(chunks);
    this.queued -= chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.wake();
  }

  private released(): number {
    if (this.verified) return this.partial.size;
    const last = this.toldSize ?? this.partial.size;
    return Math.max(0, Math.min(this.partial.size, last - HELD_BACK));
  }

  private async until(met: () => boolean): Promise<void> {
    while (!met()) {
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  private wake(): void {
    const awake = [...this.waiting];
    this.waiting.clear();
    for (const resume of awake) resume();
  }

  private async closeIfUnused(): Promise<void> {
    if (this.ended && this.readers === 0) await this.partial.close();
  }
}
