import { randomBytes } from 'node:crypto';
import { EnvelopeDamaged, KeyMissing, open, rewrap, seal, type Envelope } from './envelope.js';
import { Keyring, SecretsKey, SecretsKeys } from './keyring.js';

const newKey = (): string => randomBytes(32).toString('base64');
const key = newKey();
const keyring = new Keyring(key);
const place = { environmentId: '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0d', name: 'DB_PASSWORD', version: 3 };
const value = Buffer.from('correct horse battery staple');

function flipped(bytes: Buffer, index: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[index] ^= 1;
  return changed;
}

describe('an envelope', () => {
  const envelope = seal(keyring, place, value);

  it('opens to what was put in, byte for byte, up to 64 KiB', () => {
    for (const bytes of [value, Buffer.from([0]), randomBytes(65_536)])
      expect(open(keyring, place, seal(keyring, place, bytes)).equals(bytes)).toBe(true);
  });

  it('shows nothing of it, and never looks the same twice', () => {
    const again = seal(keyring, place, value);
    for (const field of ['wrappedKey', 'nonce', 'ciphertext'] as const) {
      expect(again[field].equals(envelope[field])).toBe(false);
      expect(envelope[field].includes(value)).toBe(false);
    }
  });

  it.each(['wrappedKey', 'nonce', 'ciphertext'] as const)(
    'does not open when any byte of %s changed',
    (field) => {
      for (let index = 0; index < envelope[field].length; index++) {
        const changed = { ...envelope, [field]: flipped(envelope[field], index) };
        expect(() => open(keyring, place, changed)).toThrow(EnvelopeDamaged);
      }
      for (const cut of [0, 1, envelope[field].length - 1]) {
        const changed = { ...envelope, [field]: envelope[field].subarray(0, cut) };
        expect(() => open(keyring, place, changed)).toThrow(EnvelopeDamaged);
      }
    },
  );

  it.each([
    { environmentId: '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0e' },
    { name: 'DB_PASSWORD2' },
    { version: 4 },
  ])('does not open in the place of another: %j', (other) => {
    expect(() => open(keyring, { ...place, ...other }, envelope)).toThrow(EnvelopeDamaged);
  });

  it('does not take the wrapped key, or the value, of another', () => {
    const other = seal(keyring, place, Buffer.from('another'));
    const { wrappedKey, nonce, ciphertext } = other;
    const swapped: Partial<Envelope>[] = [{ wrappedKey }, { nonce, ciphertext }, { ciphertext }];
    for (const parts of swapped)
      expect(() => open(keyring, place, { ...envelope, ...parts })).toThrow(EnvelopeDamaged);
  });

  it('does not open with another key, whatever that is called', () => {
    const other = new Keyring(newKey());
    expect(() => open(other, place, envelope)).toThrow(KeyMissing);
    expect(() => open(other, place, { ...envelope, keyId: other.current.id })).toThrow(EnvelopeDamaged);
  });
});

describe('re-wrapping', () => {
  it('brings it under the new key and leaves the value as it lies', () => {
    const envelope = seal(keyring, place, value);
    const fresh = newKey();
    const both = new Keyring(fresh, `${newKey()}, ${key}`);
    const moved = { ...envelope, ...rewrap(both, place, envelope) };
    expect(moved.keyId).toBe(both.current.id);
    expect(open(new Keyring(fresh), place, moved).equals(value)).toBe(true);
    expect(() => open(keyring, place, moved)).toThrow(KeyMissing);
    expect(open(both, place, envelope).equals(value)).toBe(true);
  });

  it('carries nothing over that was changed', () => {
    const envelope = seal(keyring, place, value);
    const both = new Keyring(newKey(), key);
    const changed = { ...envelope, wrappedKey: flipped(envelope.wrappedKey, 20) };
    expect(() => rewrap(both, place, changed)).toThrow(EnvelopeDamaged);
  });
});

describe('a key', () => {
  it('is 32 bytes as base64, and an error does not show it', () => {
    expect(SecretsKey.safeParse(key).success).toBe(true);
    for (const wrong of [undefined, '', 'hunter2', randomBytes(16).toString('base64'), `${key}=`]) {
      const { error } = SecretsKey.safeParse(wrong);
      expect(error?.issues[0].message).toContain('32');
      if (wrong) expect(JSON.stringify(error?.issues)).not.toContain(`"${wrong}"`);
    }
    expect(SecretsKeys.safeParse(`${key},${newKey()}`).success).toBe(true);
    expect(SecretsKeys.safeParse(`${key},x`).success).toBe(false);
  });
});
