import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { BerthError } from '@berth/contracts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Text that only this registry can read, whichever instance sealed it: AES-256-GCM, with a key for the purpose made of the service's own (RFC 5869). What it
 * is bound to has to be told again to open it.
 */
export class Seal {
  private readonly derived: Buffer | null;

  /** `key`: 32 bytes as base64, REGISTRY_KEY; without one nothing can be sealed. */
  constructor(key: string | undefined, purpose: 'upstream passwords' | 'client tokens') {
    this.derived =
      key === undefined ? null : Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), '', purpose, 32));
  }

  get usable(): boolean {
    return this.derived !== null;
  }

  /** Throws CONFLICT without a key. */
  seal(text: string, boundTo: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.requireKey(), iv).setAAD(Buffer.from(boundTo, 'utf8'));
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** Null when it was sealed with another key, or bound to something else. */
  open(sealed: Buffer, boundTo: string): string | null {
    if (sealed.length < IV_BYTES + TAG_BYTES) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.requireKey(), sealed.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(boundTo, 'utf8')).setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch {
      return null;
    }
  }

  private requireKey(): Buffer {
    if (this.derived !== null) return this.derived;
    throw new BerthError(
      'CONFLICT',
      'The registry-proxy has no REGISTRY_KEY, so no password could be kept. Set it first.',
    );
  }
}
