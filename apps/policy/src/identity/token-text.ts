import { createHash, randomBytes } from 'node:crypto';

/** A new token: 256 random bits, under a prefix by which scanners for leaked secrets know it. */
export function newToken(): string {
  return `berth_${randomBytes(32).toString('base64url')}`;
}

/** What is stored of a token. Of so many random bits, one round of SHA-256 gives nothing away. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
