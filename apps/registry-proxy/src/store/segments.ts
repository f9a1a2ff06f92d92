import type { Readable } from 'node:stream';
import type { ObjectStorage } from './object-storage.js';

/** A part of a blob: an object, of which the first `size` bytes count. */
export interface Segment {
  key: string;
  size: number;
}

export function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** As many are open at a time: of clients that read the same blob while it arrives. */
const MOST_CURSORS = 64;

/** When so much is left of a segment, the next one is asked for: its first byte is to be there when it is wanted, however far the storage. */
const AHEAD_BYTES = 7 * 1024 * 1024;

/** Reads what stands in segments, one after the other. Whoever reads on where they were before has one answer of the storage a segment. */
export class SegmentReader {
  /** By the position where each is. */
  private readonly cursors = new Map<number, Cursor>();
  /** Those that were asked for ahead, by the position where they begin. */
  private readonly ahead = new Map<number, Promise<Cursor | null>>();

  constructor(
    private readonly storage: Pick<ObjectStorage, 'get'>,
    /** They may become more; what is there stays. */
    private readonly segments: readonly Segment[],
  ) {}

  /** Fills `buffer` as far as there is anything; 0 at the end. */
  async read(buffer: Buffer, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const got = await this.readOn(buffer.subarray(filled), position + filled);
      if (got === 0) break;
      filled += got;
    }
    return filled;
  }

  close(): void {
    for (const cursor of this.cursors.values()) cursor.close();
    this.cursors.clear();
    for (const asked of this.ahead.values())
      void asked.then(
        (cursor) => cursor?.close(),
        () => undefined,
      );
    this.ahead.clear();
  }

  /** As far as one segment goes. */
  private async readOn(buffer: Buffer, position: number): Promise<number> {
    const kept = this.take(position) ?? (await this.takeAhead(position));
    if (kept !== null) {
      // The storage may have ended an answer that nobody read from for long: a slow client is no reason to fail.
      const got = await this.readFrom(kept, buffer, position).catch(() => null);
      if (got !== null) return got;
    }
    const fresh = await this.open(position);
    return fresh === null ? 0 : this.readFrom(fresh, buffer, position);
  }

  private async readFrom(cursor: Cursor, buffer: Buffer, position: number): Promise<number> {
    try {
      const got = await cursor.read(buffer);
      if (cursor.left <= AHEAD_BYTES) this.askAhead(position + got + cursor.left);
      this.keep(cursor, position + got);
      return got;
    } catch (error) {
      cursor.close();
      throw error;
    }
  }

  private take(position: number): Cursor | undefined {
    const cursor = this.cursors.get(position);
    this.cursors.delete(position);
    return cursor;
  }

  /** Null where none was asked for, or it was in vain. */
  private async takeAhead(position: number): Promise<Cursor | null> {
    const asked = this.ahead.get(position);
    this.ahead.delete(position);
    return (await asked?.catch(() => null)) ?? null;
  }

  private askAhead(position: number): void {
    if (this.ahead.has(position) || this.cursors.has(position) || this.ahead.size >= MOST_CURSORS) return;
    const asked = this.open(position);
    // Whoever comes there asks again.
    asked.catch(() => undefined);
    this.ahead.set(position, asked);
  }

  private keep(cursor: Cursor, position: number): void {
    if (cursor.atEnd || this.cursors.has(position)) return cursor.close();
    this.cursors.set(position, cursor);
    if (this.cursors.size <= MOST_CURSORS) return;
    const [[oldest, unused]] = this.cursors;
    this.cursors.delete(oldest);
    unused.close();
  }

  private async open(position: number): Promise<Cursor | null> {
    let start = 0;
    for (const { key, size } of this.segments) {
      if (position < start + size) {
        const from = position - start;
        const stream = await this.storage.get(key, from, size - 1);
        if (stream === null) throw new Error(`${key} is gone from the object storage`);
        return new Cursor(stream, size - from);
      }
      start += size;
    }
    return null;
  }
}

/** An answer of the storage, read as far as somebody wants it. */
class Cursor {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(
    private readonly stream: Readable,
    /** Bytes that are left of it. */
    public left: number,
  ) {
    this.chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    // Of one that nobody reads at the moment.
    stream.on('error', () => undefined);
  }

  get atEnd(): boolean {
    return this.left === 0;
  }

  async read(buffer: Buffer): Promise<number> {
    let filled = 0;
    while (filled < buffer.length && this.left > 0) {
      if (this.rest.length === 0) {
        const { value, done } = await this.chunks.next();
        if (done) throw new Error('the object storage sent less than it said');
        this.rest = value;
      }
      const taken = this.rest.copy(buffer, filled, 0, Math.min(this.rest.length, this.left));
      this.rest = this.rest.subarray(taken);
      this.left -= taken;
      filled += taken;
    }
    return filled;
  }

  close(): void {
    this.stream.destroy();
  }
}
