import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from '../names/digest.js';
import type { PartialBlob } from '../store/blob-store.js';

const READ_BYTES = 1024 * 1024;

/** The running hash over all that is written to a partial blob. */
export async function hashOfPart(part: PartialBlob, algorithm: DigestAlgorithm = 'sha256'): Promise<Hash> {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, part.size)));
  let position = 0;
  while (position < part.size) {
    const count = await part.read(buffer, position);
    if (count === 0) throw new Error(`upload ${part.name} ends at ${position} of ${part.size} bytes`);
    hash.update(buffer.subarray(0, count));
    position += count;
  }
  return hash;
}
