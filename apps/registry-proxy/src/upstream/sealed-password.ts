import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { BerthError } from '@berth/contracts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Passwords of upstreams as the database keeps them: AES-256-GCM with the service's key, bound to the upstream's name and URL. Whoever can write to the
 * database cannot have one sent elsewhere by giving it another URL.
 */
export class SealedPasswords {
  /** 32 bytes as base64; without one no credentials can be kept. */
  constructor(private readonly key: string | undefined) {}

  seal(password: string, { name, url }: { name: string; url: string }): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.requireKey(), iv).setAAD(boundTo(name, url));
    return Buffer.concat([iv, cipher.update(password, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws when it was sealed with another key, or for another upstream. */
  unseal(sealed: Buffer, { name, url }: { name: string; url: string }): string {
    const decipher = createDecipheriv('aes-256-gcm', this.requireKey(), sealed.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(name, url)).setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString(
      'utf8',
    );
  }

  private requireKey(): Buffer {
    if (this.key !== undefined) return Buffer.from(this.key, 'base64');
    throw new BerthError(
      'CONFLICT',
      'The registry-proxy has no REGISTRY_CREDENTIALS_KEY, so no password could be kept. Set it first.',
    );
  }
}

function boundTo(name: string, url: string): Buffer {
  return Buffer.from(`${name} ${url}`, 'utf8');
}
