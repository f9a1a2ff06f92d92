const MIB = 1024 * 1024;
/** What all clients together have in hand at most, beside what those have who came when there were fewer. */
const FOR_ALL = 64 * MIB;
const LEAST = 256 * 1024;
const ARRIVING = 512 * 1024;
/** Free ones that are kept: made anew for each blob, they would pile up until the next collection of garbage. */
const MOST_KEPT = 32 * MIB;

/**
 * Pairs of buffers for sending blobs: one is read into while the other is sent. Of 1 MiB each for a single client and 2 MiB for several,
 * as was measured (`npm run bench:registry -- blobs`): smaller ones cost calls, larger ones the processor's cache. Many clients share.
 */
export class SendBuffers {
  private readonly free: Buffer[] = [];
  private kept = 0;
  private clients = 0;

  /** `length`: bytes to send. `arriving`: no faster than from an upstream. */
  take(length: number, arriving: boolean): [Buffer, Buffer] {
    this.clients += 1;
    // Of its own size, and not kept: configs and the like must not take what layers take.
    if (length < LEAST) return [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)];
    const size = arriving ? ARRIVING : sizeFor(this.clients);
    return [this.one(size), this.one(size)];
  }

  give(pair: readonly Buffer[]): void {
    this.clients -= 1;
    for (const buffer of pair) {
      if (buffer.length < LEAST || this.kept + buffer.length > MOST_KEPT) continue;
      this.free.push(buffer);
      this.kept += buffer.length;
    }
  }

  private one(size: number): Buffer {
    const at = this.free.findIndex((buffer) => buffer.length === size);
    if (at < 0) return Buffer.allocUnsafeSlow(size);
    const [buffer] = this.free.splice(at, 1);
    this.kept -= size;
    return buffer!;
  }
}

function sizeFor(clients: number): number {
  if (clients === 1) return MIB;
  const share = FOR_ALL / (2 * clients);
  // Few sizes, so that they are found again.
  return Math.max(LEAST, Math.min(2 * MIB, 2 ** Math.floor(Math.log2(share))));
}
