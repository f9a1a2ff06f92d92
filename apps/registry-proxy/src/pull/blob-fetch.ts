import { createHash } from 'node:crypto';
import { algorithmOf, type Digest } from '../names/digest.js';
import type { PartialBlob } from '../store/blob-store.js';
import { upstreamUnavailable } from '../upstream/upstream-error.js';
import { ArrivingBlob } from './arriving-blob.js';

/** Bytes that may wait for the disk before the upstream is asked to wait. */
const MOST_QUEUED = 4 * 1024 * 1024;
/** Bytes taken of a blob whose size nobody told: a hostile upstream may never end. */
const MOST_OF_UNKNOWN = 64 * 1024 ** 3;

/** One blob on its way from an upstream to the store. */
export class BlobFetch extends ArrivingBlob {
  private queue: Buffer[] = [];
  private queued = 0;

  constructor(
    digest: Digest,
    toldSize: number | null,
    private readonly partial: PartialBlob,
    private readonly upstream: string,
  ) {
    super(digest, toldSize);
  }

  protected get arrived(): number {
    return this.partial.size;
  }

  read(buffer: Buffer, position: number): Promise<number> {
    return this.partial.read(buffer, position);
  }

  protected close(): Promise<void> {
    return this.partial.close();
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
      await this.end();
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
}
