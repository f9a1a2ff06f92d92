import { z } from 'zod';
import type { Digest } from '../names/digest.js';
import { type BlobNames, type Filed, Segments } from './blob-names.js';
import type { ObjectStorage } from './object-storage.js';
import type { Segment } from './segments.js';

/** Of what is not a blob, not yet or not any more. With a digest: it was about to become that blob, or to be none. */
const Open = z.object({ segments: Segments, digest: z.string().nullable() });

const AT_ONCE = 8;

/**
 * Where things lie, and in which order they change, so that a crash leaves nothing that is half true. Which segments are which blob stands
 * in Postgres; in the storage are
 *
 *     data/<uuid>/<number>   a segment: bytes that are written once
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

  filed(digest: Digest): Promise<Filed | null> {
    return this.names.find(digest);
  }

  /** Makes it a blob. What was under this name before is nobody's from then on, and stays for who reads it. */
  async file(digest: Digest, name: string, segments: readonly Segment[]): Promise<void> {
    await this.note(name, segments, digest);
    let before: Filed | null;
    do {
      before = await this.filed(digest);
      if (before?.data === name) break;
      if (before !== null) await this.note(before.data, before.segments, digest);
    } while (!(await this.names.set(digest, { data: name, segments: [...segments] }, before?.data ?? null)));
    await this.storage.remove(openKey(name));
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
