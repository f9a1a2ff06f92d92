import type { Digest } from '../names/digest.js';
import type { PartialBlob } from './blob-store.js';
import type { ObjectLayout } from './object-layout.js';
import { bytesOf, type Segment, SegmentReader } from './segments.js';

/** What goes into one object. As much again is in memory while it is sent. */
export const SEGMENT_BYTES = 8 * 1024 * 1024;

/** What is followed is sent as soon as it is so old, though it be little: others wait for it. */
const PROMPT_MS = 500;

export interface PartialOptions {
  /** Those that are there. */
  segments?: Segment[];
  /** Whether another instance may follow it. */
  followed?: boolean;
}

/** A partial blob in objects of the storage, each written once. */
export class ObjectPartialBlob implements PartialBlob {
  private readonly segments: Segment[];
  private readonly followed: boolean;
  private readonly reader: SegmentReader;
  private stored: number;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private sent: { bytes: Buffer; done: Promise<void> } | null = null;
  /** One thing after the other. */
  private turn: Promise<unknown> = Promise.resolve();
  private prompt: NodeJS.Timeout | undefined;
  private failure: Error | null = null;
  private closed = false;

  constructor(
    readonly name: string,
    private readonly layout: ObjectLayout,
    { segments = [], followed = false }: PartialOptions = {},
  ) {
    this.segments = segments;
    this.followed = followed;
    this.reader = new SegmentReader(layout.storage, segments);
    this.stored = bytesOf(segments);
  }

  get size(): number {
    return this.stored + (this.sent?.bytes.length ?? 0) + this.waitingBytes;
  }

  async append(chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      this.waiting.push(chunk);
      this.waitingBytes += chunk.length;
      if (this.waitingBytes >= SEGMENT_BYTES) await this.inTurn(() => this.send());
    }
    if (this.failure !== null) throw this.failure;
    if (this.followed && this.waitingBytes > 0)
      this.prompt ??= setTimeout(() => this.sendPromptly(), PROMPT_MS);
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    if (position < this.stored) return this.reader.read(buffer, position);
    let start = this.stored;
    for (const bytes of [...(this.sent === null ? [] : [this.sent.bytes]), ...this.waiting]) {
      if (position < start + bytes.length) return bytes.copy(buffer, 0, position - start);
      start += bytes.length;
    }
    return 0;
  }

  async commit(digest: Digest): Promise<void> {
    await this.settle();
    await this.layout.file(digest, this.name, this.segments);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.settle();
      await this.layout.noteSegments(this.name, this.segments);
    } finally {
      this.reader.close();
    }
  }

  async discard(): Promise<void> {
    this.closed = true;
    clearTimeout(this.prompt);
    this.reader.close();
    await this.turn;
    await this.sent?.done.catch(() => undefined);
    await this.layout.discard(this.name);
  }

  private sendPromptly(): void {
    this.prompt = undefined;
    // Whoever writes or ends next is told of a failure.
    this.inTurn(() => this.send()).catch(() => undefined);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** Everything that was written is in the storage from then on. */
  private async settle(): Promise<void> {
    clearTimeout(this.prompt);
    this.prompt = undefined;
    await this.inTurn(async () => {
      await this.send();
      await this.arrival();
    });
  }

  /** Sends what waits, once what was sent before has arrived. */
  private async send(): Promise<void> {
    await this.arrival();
    if (this.waitingBytes === 0) return;
    const bytes = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    const done = this.layout.storage.put(this.nextKey, bytes);
    done.catch(() => undefined);
    this.sent = { bytes, done };
  }

  /** What fails once fails from then on: the bytes after it would be in the wrong place. */
  private async arrival(): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (this.sent === null) return;
    const { bytes, done } = this.sent;
    try {
      await done;
    } catch (error) {
      this.failure = error as Error;
      this.sent = null;
      this.waiting = [];
      this.waitingBytes = 0;
      throw error;
    }
    this.segments.push({ key: this.nextKey, size: bytes.length });
    this.stored += bytes.length;
    this.sent = null;
  }

  private get nextKey(): string {
    return this.layout.segmentKey(this.name, this.segments.length);
  }
}
