import { z } from 'zod';
import { algorithmOf, hexOf, type Digest } from '../names/digest.js';
import type { ObjectStorage } from './object-storage.js';
import type { Segment } from './segments.js';

const Segments = z.array(z.object({ key: z.string(), size: z.int().nonnegative() }));

/** What the name of a blob leads to. */
const Filed = z.object({ data: z.string(), segments: Segments });
export type Filed = z.output<typeof Filed>;

/** Of what is not a blob, not yet or not any more. With a digest: it was about to become that blob, or to be none. */
const Open = z.object({ segments: Segments, digest: z.string().nullable() });

const AT_ONCE = 8;

/**
 * Where things lie, and in which order they change, so that a crash leaves nothing that is half true:
 *
 *     blobs/<algorithm>/ab/<hex>  names the segments of a whole and verified blob
 *     data/<uuid>/<number>        a segment: bytes that are written once
 *     open/<uuid>                 while these bytes are no blob's, or may be none's: what is to be looked at when it is old
 *     quarantine/…                names of what was found damaged, which nothing reads
 */
export class ObjectLayout {
  constructor(readonly storage: ObjectStorage) {}

  segmentKey(name: string, number: number): string {
    return `data/${name}/${String(number).padStart(6, '0')}`;
  }

  async filed(digest: Digest): Promise<Filed | null> {
    const text = await this.storage.text(blobKey(digest));
    return text === null ? null : Filed.parse(JSON.parse(text));
  }

  /** Makes it a blob. What was under this name before is nobody's from then on, and stays for who reads it. */
  async file(digest: Digest, name: string, segments: readonly Segment[]): Promise<void> {
    const before = await this.filed(digest);
    await this.note(name, segments, digest);
    if (before !== null && before.data !== name) await this.note(before.data, before.segments, digest);
    await this.storage.put(blobKey(digest), json({ data: name, segments }));
    await this.storage.remove(openKey(name));
  }

  /** A blob is none any more; its bytes stay for who reads them. Nothing where there is none. */
  async unfile(digest: Digest): Promise<void> {
    const filed = await this.filed(digest);
    if (filed === null) return;
    await this.note(filed.data, filed.segments, digest);
    await this.storage.remove(blobKey(digest));
  }

  async quarantine(digest: Digest): Promise<void> {
    const filed = await this.filed(digest);
    if (filed === null) return;
    await this.storage.put(`quarantine/${digest.replace(':', '-')}.${Date.now()}`, json(filed));
    await this.storage.remove(blobKey(digest));
  }

  async *filedBefore(time: Date): AsyncIterable<string> {
    for await (const { key, modified } of this.storage.list('blobs/')) {
      const [, algorithm, , hex] = key.split('/');
      if (modified < time) yield `${algorithm}:${hex}`;
    }
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

  private async opened(name: string): Promise<z.output<typeof Open> | null> {
    const text = await this.storage.text(openKey(name));
    return text === null ? null : Open.parse(JSON.parse(text));
  }

  private async note(name: string, segments: readonly Segment[], digest: Digest | null): Promise<void> {
    await this.storage.put(openKey(name), json({ segments, digest }));
  }
}

function blobKey(digest: Digest): string {
  const hex = hexOf(digest);
  return `blobs/${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}`;
}

function openKey(name: string): string {
  return `open/${name}`;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
