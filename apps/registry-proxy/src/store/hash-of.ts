import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from '../names/digest.js';
import type { PartialBlob, StoredBlob } from './blob-store.js';

const READ_BYTES = 1024 * 1024;

/** The running hash over all that is there; null when it ends before its size. */
export async function hashOf(
  source: Pick<StoredBlob | PartialBlob, 'size' | 'read'>,
  algorithm: DigestAlgorithm,
): Promise<Hash | null> {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, source.size)));
  let position = 0;
  while (position < source.size) {
    const count = await source.read(buffer, position);
    if (count === 0) return null;
    hash.update(buffer.subarray(0, count));
    position += count;
  }
  return hash;
}
