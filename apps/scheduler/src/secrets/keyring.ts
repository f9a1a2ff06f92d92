import { createHash } from 'node:crypto';
import { z } from 'zod';

/** 32 bytes as base64. */
export const SecretsKey = z
  .string({ error: 'must be given: 32 random bytes as base64 (openssl rand -base64 32)' })
  .regex(/^[A-Za-z0-9+/]{43}=$/, { error: 'must be 32 bytes as base64 (openssl rand -base64 32)' });

/** Keys with commas between them. */
export const SecretsKeys = z
  .string()
  .refine((text) => keysOf(text).every((key) => SecretsKey.safeParse(key).success), {
    error: 'must be keys of 32 bytes as base64, with commas between them',
  });

/** A key that wraps data keys, and what it is called: the first 8 hex digits of its SHA-256. */
export interface WrappingKey {
  id: string;
  bytes: Buffer;
}

/** The key that wraps from now on, and those that what was wrapped before may need. */
export class Keyring {
  readonly current: WrappingKey;
  private readonly byId: ReadonlyMap<string, WrappingKey>;

  constructor(key: string, oldKeys = '') {
    this.current = wrappingKey(key);
    const old = keysOf(oldKeys).map(wrappingKey);
    this.byId = new Map([...old, this.current].map((each) => [each.id, each]));
  }

  get ids(): string[] {
    return [...this.byId.keys()];
  }

  find(id: string): WrappingKey | undefined {
    return this.byId.get(id);
  }
}

function wrappingKey(base64: string): WrappingKey {
  const bytes = Buffer.from(base64, 'base64');
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}

function keysOf(text: string): string[] {
  return text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
}
