import { randomUUID } from 'node:crypto';
import type { Logger } from '@berth/runtime';
import { isDigest, type Digest } from '../names/digest.js';
import { BlobNames } from './blob-names.js';
import type { BlobStore, FollowedPartial, PartialBlob, StoredBlob } from './blob-store.js';
import { ObjectLayout } from './object-layout.js';
import { ObjectPartialBlob, type PartialOptions } from './object-partial-blob.js';
import { ObjectStorage, type ObjectStorageSettings } from './object-storage.js';
import { bytesOf, type Segment, SegmentReader } from './segments.js';
import { WholeObjects } from './whole-objects.js';

/** What a sweep looks at; the next one goes on. */
const MOST_AT_ONCE = 10_000;

/** Blobs in an object storage, so that instances share no folder. Segments and not one object each: they can be followed, and gone on with. */
export class ObjectBlobStore implements BlobStore {
  private readonly layout: ObjectLayout;
  private readonly whole: WholeObjects;

  constructor(settings: ObjectStorageSettings, databaseUrl: string, logger: Logger) {
    this.layout = new ObjectLayout(new ObjectStorage(settings), new BlobNames(databaseUrl));
    this.whole = new WholeObjects(this.layout, logger);
  }

  async close(): Promise<void> {
    await this.whole.close();
    await this.layout.close();
  }

  async size(digest: Digest): Promise<number | null> {
    const filed = await this.layout.filed(digest);
    return filed && bytesOf(filed.segments);
  }

  async open(digest: Digest): Promise<StoredBlob | null> {
    const filed = await this.layout.filed(digest);
    if (filed === null) return null;
    const { segments } = filed;
    return new OpenSegments(this.layout.storage, segments, () => this.whole.address(digest, segments));
  }

  remove(digest: Digest): Promise<void> {
    return this.layout.unfile(digest);
  }

  quarantine(digest: Digest): Promise<void> {
    return this.layout.quarantine(digest);
  }

  async *storedBefore(time: Date): AsyncIterable<Digest> {
    for await (const digest of this.layout.filedBefore(time)) if (isDigest(digest)) yield digest;
  }

  receive(): Promise<PartialBlob> {
    return this.begin({ followed: true });
  }

  async follow(name: string): Promise<FollowedPartial | null> {
    const open = await this.layout.openSegments(name);
    return open && new GrowingSegments(this.layout, name);
  }

  startUpload(): Promise<PartialBlob> {
    return this.begin();
  }

  async continueUpload(name: string, size: number): Promise<PartialBlob | null> {
    const open = await this.layout.openSegments(name);
    const kept = open && firstBytes(open, size);
    return kept && new ObjectPartialBlob(name, this.layout, { segments: kept });
  }

  async forkUpload(name: string, size: number): Promise<PartialBlob | null> {
    const open = await this.layout.openSegments(name);
    const kept = open && firstBytes(open, size);
    if (kept === null) return null;
    const copy = randomUUID();
    await this.layout.begin(copy);
    const segments: Segment[] = [];
    for (const { key, size: bytes } of kept) {
      const target = this.layout.segmentKey(copy, segments.length);
      if (!(await this.layout.storage.copy(key, target))) return null;
      segments.push({ key: target, size: bytes });
    }
    await this.layout.noteSegments(copy, segments);
    return new ObjectPartialBlob(copy, this.layout, { segments });
  }

  discardUpload(name: string): Promise<void> {
    return this.layout.discard(name);
  }

  /** And of what else is to go once it is old: fetches of instances that died, and bytes of what is no blob any more. */
  async uploadsUntouchedSince(time: Date): Promise<string[]> {
    const names: string[] = [];
    for await (const name of this.layout.openBefore(time)) {
      names.push(name);
      if (names.length === MOST_AT_ONCE) break;
    }
    return names;
  }

  private async begin(options: PartialOptions = {}): Promise<PartialBlob> {
    const name = randomUUID();
    await this.layout.begin(name);
    return new ObjectPartialBlob(name, this.layout, options);
  }
}

class OpenSegments implements StoredBlob {
  readonly size: number;
  private readonly reader: SegmentReader;

  constructor(
    storage: ObjectStorage,
    segments: readonly Segment[],
    readonly address: () => Promise<string | null>,
  ) {
    this.size = bytesOf(segments);
    this.reader = new SegmentReader(storage, segments);
  }

  read(buffer: Buffer, position: number): Promise<number> {
    return this.reader.read(buffer, position);
  }

  close(): Promise<void> {
    this.reader.close();
    return Promise.resolve();
  }
}

/** What another instance writes: the next segment is there as soon as it is whole. */
class GrowingSegments implements FollowedPartial {
  private readonly segments: Segment[] = [];
  private readonly reader: SegmentReader;

  constructor(
    private readonly layout: ObjectLayout,
    private readonly name: string,
  ) {
    this.reader = new SegmentReader(layout.storage, this.segments);
  }

  async size(): Promise<number> {
    for (;;) {
      const number = this.segments.length;
      const key = this.layout.segmentKey(this.name, number);
      const size = await this.layout.storage.size(key);
      if (size === null) return bytesOf(this.segments);
      // Two who asked at once have found the same one.
      if (this.segments.length === number) this.segments.push({ key, size });
    }
  }

  read(buffer: Buffer, position: number): Promise<number> {
    return this.reader.read(buffer, position);
  }

  close(): Promise<void> {
    this.reader.close();
    return Promise.resolve();
  }
}

/** Null where there are fewer. */
function firstBytes(segments: readonly Segment[], wanted: number): Segment[] | null {
  const kept: Segment[] = [];
  let left = wanted;
  for (const { key, size } of segments) {
    if (left === 0) break;
    kept.push({ key, size: Math.min(size, left) });
    left -= Math.min(size, left);
  }
  return left === 0 ? kept : null;
}
