import type { BlobSource } from './blob-pulls.js';

/** All of a small blob, verified; null when it is above `limit` bytes. Ends the use of the source. */
export async function readSmallBlob(source: BlobSource, limit: number): Promise<Buffer | null> {
  const from = source.kind === 'stored' ? source.blob : source.fetch;
  try {
    const size = source.kind === 'stored' ? source.blob.size : await source.fetch.size();
    if (size > limit) return null;
    const bytes = Buffer.alloc(size);
    for (let filled = 0; filled < size;) {
      const until = source.kind === 'stored' ? size : await source.fetch.sendable(filled);
      const count = await from.read(bytes.subarray(filled, until), filled);
      if (count === 0) throw new Error(`the stored blob ends at ${filled} of ${size} bytes`);
      filled += count;
    }
    return bytes;
  } finally {
    await (source.kind === 'stored' ? source.blob.close() : source.fetch.leave());
  }
}
