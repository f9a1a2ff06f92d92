import { LRUCache } from 'lru-cache';
import type { BlobStore } from '../store/blob-store.js';
import { algorithmOf, digestOf, type Digest } from '../names/digest.js';

const MOST_CACHED_BYTES = 16 * 1024 * 1024;

/** Manifests' bytes: in the blob store, and the ones asked for lately in memory, as they never change. */
export class ManifestStore {
  private readonly recent = new LRUCache<Digest, Buffer>({
    maxSize: MOST_CACHED_BYTES,
    sizeCalculation: ({ length }) => length || 1,
  });

  constructor(private readonly blobs: BlobStore) {}

  /** Null when they are not stored, or are not what the digest says any more. */
  async get(digest: Digest): Promise<Buffer | null> {
    const recent = this.recent.get(digest);
    if (recent !== undefined) return recent;
    const bytes = await readWhole(this.blobs, digest);
    if (bytes === null || digestOf(bytes, algorithmOf(digest)) !== digest) return null;
    this.recent.set(digest, bytes);
    return bytes;
  }

  async put(digest: Digest, bytes: Buffer): Promise<void> {
    const partial = await this.blobs.receive();
    try {
      await partial.append([bytes]);
      await partial.commit(digest);
      await partial.close();
    } catch (error) {
      await partial.discard();
      throw error;
    }
    this.recent.set(digest, bytes);
  }
}

/** A small blob into memory: manifests and configs, whose sizes are capped before. */
export async function readWhole(blobs: BlobStore, digest: Digest): Promise<Buffer | null> {
  const blob = await blobs.open(digest);
  if (blob === null) return null;
  try {
    const bytes = Buffer.alloc(blob.size);
    let filled = 0;
    while (filled < bytes.length) {
      const count = await blob.read(bytes.subarray(filled), filled);
      if (count === 0) return null;
      filled += count;
    }
    return bytes;
  } finally {
    await blob.close();
  }
}
