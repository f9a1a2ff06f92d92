import type { Hash } from 'node:crypto';
import type { DigestAlgorithm } from '../names/digest.js';
import type { PartialBlob } from '../store/blob-store.js';
import { hashOf } from '../store/hash-of.js';

/** The running hash over all that is written to a partial blob. */
export async function hashOfPart(part: PartialBlob, algorithm: DigestAlgorithm = 'sha256'): Promise<Hash> {
  const hash = await hashOf(part, algorithm);
  if (hash === null) throw new Error(`upload ${part.name} ends before its ${part.size} bytes`);
  return hash;
}
