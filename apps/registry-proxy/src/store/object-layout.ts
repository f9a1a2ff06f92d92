import { z } from 'zod';
import type { Digest } from '../names/digest.js';
import { type BlobNames, type Filed, Segments } from './blob-names.js';
import { abandonJoins } from './object-join.js';
import type { ObjectStorage } from './object-storage.js';
import type { Segment } from './segments.js';

/** Of what is not a blob, not yet or not any more. With a digest: it was about to become that blob, or to be none. */
const Open = z.object({ segments: Segments, digest: z.string().nullable() });

const AT_ONCE = 8;
const WHOLE = '/whole';

/**
 * Where things lie, and in which order they change, so that a crash leaves nothing that is half true. Which segments are which blob stands
 * in Postgres; in the storage are
 *
 *     data/<uuid>/<number>   a segment: bytes that are written once, of which the first count
 *     data/<uuid>/whole      all of a blob and nothing else, for clients to read
 *     open/<uuid>            while these bytes are no blob's, or may be none's: what is to be looked at when it is old
 *     quarantine/…           names of what was found damaged, which nothing reads
 */
export class ObjectLayout {
  constructor(
    readonly storage: ObjectStorage,
    private readonly names: BlobNames,
  ) {}

  segmentKey(name: string, number: number): string {
    return `data/${name}/${String(number).padStart(6, '0')}`;
  }

  wholeKey(name: string): string {
    return `data/${name}${WHOLE}`;
  }

  isWhole(key: string): boolean {
    return key.endsWith(WHOLE);
  }

  filed(digest: Digest): Promise<Filed | null> {
    return this.names.find(digest);
  }

  /** Makes it a blob. What was under this name before is nobody's from then on, and stays for who reads it. */
  async file(digest: Digest, name: string, segments: readonly Segment[]): Promise<void> {
    const filed = { data: name, segments: [...segments] };
    await this.announce(digest, filed);
    let before: Filed | null;
    do before = await this.filed(digest);
    while (before?.data !== name && !(await this.replace(digest, before, filed)));
    await this.storage.remove(openKey(name));
  }

  /** These bytes are about to become a blob. */
  announce(digest: Digest, { data, segments }: Filed): Promise<void> {
    return this.note(data, segments, digest);
  }

  /** Puts other bytes in place of a blob's. False where it is made of others by now, or gone. */
  async replace(digest: Digest, before: Filed | null, after: Filed): Promise<boolean> {
    if (before !== null) await this.note(before.data, before.segments, digest);
    return this.names.set(digest, after, before?.data ?? null);
  }

  /** A blob is none any more; its bytes stay for who reads them. Nothing where there is none. */
  async unfile(digest: Digest): Promise<void> {
    const filed = await this.filed(digest);
    if (filed === null) return;
    await this.note(filed.data, filed.segments, digest);
    await this.names.remove(digest, filed.data);
  }

  async quarantine(digest: Digest): Promise<void> {
    const filed = await this.filed(digest);
    if (filed === null) return;
    await this.storage.put(`quarantine/${digest.replace(':', '-')}.${Date.now()}`, json(filed));
    await this.names.remove(digest, filed.data);
  }

  filedBefore(time: Date): AsyncIterable<string> {
    return this.names.storedBefore(time);
  }

  /** Null where it is a blob, or gone. */
  async openSegments(name: string): Promise<Segment[] | null> {
    const open = await this.opened(name);
    return open === null || open.digest !== null ? null : open.segments;
  }

  /** Notes what is there of what is no blob yet; nothing of what has become one. */
  async noteSegments(name: string, segments: readonly Segment[]): Promise<void> {
    if ((await this.openSegments(name)) !== null) await this.note(name, segments, null);
  }

  async begin(name: string): Promise<void> {
    await this.note(name, [], null);
  }

  async *openBefore(time: Date): AsyncIterable<string> {
    for await (const { key, modified } of this.storage.list('open/'))
      if (modified < time) yield key.slice('open/'.length);
  }

  /** Removes bytes, unless they are a blob's: then only that they may be none's. */
  async discard(name: string): Promise<void> {
    const open = await this.opened(name);
    const filed = open?.digest ? await this.filed(open.digest as Digest) : null;
    if (open !== null && filed?.data !== name) {
      let keys: string[] = [];
      const remove = async (): Promise<void> => {
        await Promise.all(keys.map((key) => this.storage.remove(key)));
        keys = [];
      };
      for await (const { key } of this.storage.list(`data/${name}/`)) {
        keys.push(key);
        if (keys.length >= AT_ONCE) await remove();
      }
      await remove();
      if (open.digest !== null) await abandonJoins(this.storage, `data/${name}/`);
    }
    await this.storage.remove(openKey(name));
  }

  async close(): Promise<void> {
    this.storage.close();
    await this.names.close();
  }

  private async opened(name: string): Promise<z.output<typeof Open> | null> {
    const text = await this.storage.text(openKey(name));
    return text === null ? null : Open.parse(JSON.parse(text));
  }

  private async note(name: string, segments: readonly Segment[], digest: Digest | null): Promise<void> {
    await this.storage.put(openKey(name), json({ segments, digest }));
  }
}

function openKey(name: string): string {
  return `open/${name}`;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
