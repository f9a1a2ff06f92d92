import type { Digest } from '../names/digest.js';

/**
 * Bytes at the end that nobody is sent before the digest of the whole is right: a client that was sent less than all
 * of a blob knows that it has none.
 */
export const HELD_BACK = 64 * 1024;

/** A blob on its way, from which any number of clients is fed meanwhile. Whoever `enter`ed it `leave`s it. */
export abstract class ArrivingBlob {
  protected failure: Error | null = null;
  protected verified = false;
  protected ended = false;
  private readonly waiting = new Set<() => void>();
  private readers = 0;

  constructor(
    readonly digest: Digest,
    /** Bytes, as the upstream or a manifest tells; null when neither does. */
    readonly toldSize: number | null,
  ) {}

  /** Bytes that are here. */
  protected abstract get arrived(): number;
  /** Bytes from `position`, which `sendable` has let go. */
  abstract read(buffer: Buffer, position: number): Promise<number>;
  /** Nobody reads any more, and nothing more comes. */
  protected abstract close(): Promise<void>;

  /**
   * Bytes of the whole blob, once they are known. Behind an upstream that tells no size this waits for all of it: a client
   * that cannot be told the length could take a broken transfer for a whole one.
   */
  async size(): Promise<number> {
    if (this.toldSize !== null) return this.toldSize;
    await this.until(() => this.verified);
    return this.arrived;
  }

  /** Waits until at least one byte at `position` may be sent, and says up to where. Throws when it will not come. */
  async sendable(position: number): Promise<number> {
    await this.until(() => this.verified || this.released() > position);
    return this.released();
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

  /** Lets whoever waits look again. */
  protected wake(): void {
    const awake = [...this.waiting];
    this.waiting.clear();
    for (const resume of awake) resume();
  }

  protected async end(): Promise<void> {
    this.ended = true;
    this.wake();
    await this.closeIfUnused();
  }

  private released(): number {
    if (this.verified) return this.arrived;
    return Math.max(0, Math.min(this.arrived, (this.toldSize ?? this.arrived) - HELD_BACK));
  }

  private async until(met: () => boolean): Promise<void> {
    while (!met()) {
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  private async closeIfUnused(): Promise<void> {
    if (this.ended && this.readers === 0) await this.close();
  }
}
