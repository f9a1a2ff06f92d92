import { createHash } from 'node:crypto';

/** A content digest as the OCI image spec writes it ("descriptor.md#digests"); only sha256 is stored. */
export type Digest = `sha256:${string}`;

const SHA256 = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}

/** Digest of bytes that are already in memory: manifests and image configs, never layers. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The 64 hex digits after the colon. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
