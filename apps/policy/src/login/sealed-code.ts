import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A new handle: 256 random bits, which only whoever began the login has. */
export function newHandle(): string {
  return randomBytes(32).toString('base64url');
}

/** By which a login is found. */
export function handleHash(handle: string): string {
  return createHash('sha256').update(handle).digest('hex');
}

/** AES-256-GCM with a key made of the handle (RFC 5869): the database alone gives nothing away. */
export function seal(handle: string, code: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(handle), iv);
  return Buffer.concat([iv, cipher.update(code, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the handle is another one. */
export function unseal(handle: string, sealed: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', keyOf(handle), sealed.subarray(0, IV_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString();
}

function keyOf(handle: string): Buffer {
  return Buffer.from(hkdfSync('sha256', handle, '', 'berth pending login', 32));
}
