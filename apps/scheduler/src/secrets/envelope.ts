import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Keyring, WrappingKey } from './keyring.js';

const ALGORITHM = 'aes-256-gcm';
// NIST SP 800-38D, section 8.2.2: a nonce of 96 random bits. No key seals as many as 2^32 values.
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Which value it is: bound to both layers, so that no row passes for another. */
export interface SecretPlace {
  environmentId: string;
  name: string;
  version: number;
}

/** A value at rest: encrypted with a data key of its own, which is wrapped by the key `keyId`. */
export interface Envelope {
  keyId: string;
  /** Nonce, encrypted data key, tag. */
  wrappedKey: Buffer;
  nonce: Buffer;
  /** Encrypted value, tag. */
  ciphertext: Buffer;
}

/** The envelope does not open: it, or where it lies, is not as it was made; or its key is another one. */
export class EnvelopeDamaged extends Error {
  override readonly name = 'EnvelopeDamaged';
}

/** The key that wrapped it is not among those we have. */
export class KeyMissing extends Error {
  override readonly name = 'KeyMissing';
}

export function seal(keyring: Keyring, place: SecretPlace, value: Buffer): Envelope {
  const dataKey = randomBytes(32);
  const { nonce, sealed } = encrypt(dataKey, aad('value', place), value);
  return { ...wrap(keyring.current, place, dataKey), nonce, ciphertext: sealed };
}

/** Throws EnvelopeDamaged or KeyMissing. */
export function open(keyring: Keyring, place: SecretPlace, envelope: Envelope): Buffer {
  const dataKey = unwrap(keyring, place, envelope);
  return decrypt(dataKey, aad('value', place), envelope.nonce, envelope.ciphertext);
}

/** The same data key under the current key; the value stays as it is. Throws EnvelopeDamaged or KeyMissing. */
export function rewrap(
  keyring: Keyring,
  place: SecretPlace,
  wrapped: Pick<Envelope, 'keyId' | 'wrappedKey'>,
): Pick<Envelope, 'keyId' | 'wrappedKey'> {
  return wrap(keyring.current, place, unwrap(keyring, place, wrapped));
}

function wrap(key: WrappingKey, place: SecretPlace, dataKey: Buffer): Pick<Envelope, 'keyId' | 'wrappedKey'> {
  const { nonce, sealed } = encrypt(key.bytes, aad(`key ${key.id}`, place), dataKey);
  return { keyId: key.id, wrappedKey: Buffer.concat([nonce, sealed]) };
}

function unwrap(
  keyring: Keyring,
  place: SecretPlace,
  { keyId, wrappedKey }: Pick<Envelope, 'keyId' | 'wrappedKey'>,
): Buffer {
  const key = keyring.find(keyId);
  if (!key) throw new KeyMissing(`the key ${keyId} is not given`);
  const nonce = wrappedKey.subarray(0, NONCE_BYTES);
  return decrypt(key.bytes, aad(`key ${keyId}`, place), nonce, wrappedKey.subarray(NONCE_BYTES));
}

function encrypt(key: Buffer, context: Buffer, plain: Buffer): { nonce: Buffer; sealed: Buffer } {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(context);
  return { nonce, sealed: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

function decrypt(key: Buffer, context: Buffer, nonce: Buffer, sealed: Buffer): Buffer {
  const end = sealed.length - TAG_BYTES;
  if (end < 0 || nonce.length !== NONCE_BYTES) throw new EnvelopeDamaged('it is too short');
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(context)
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch (cause) {
    throw new EnvelopeDamaged('it does not hold against its tag', { cause });
  }
}

/** A list as JSON: no two of them come to the same bytes. */
function aad(purpose: string, { environmentId, name, version }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([purpose, environmentId, name, version]));
}
