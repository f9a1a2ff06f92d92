import { Inject, Injectable } from '@nestjs/common';
import { JetStreamApiError } from '@nats-io/jetstream';
import { Kvm, type KV, type KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { BerthError, Problem } from '@berth/contracts';
import { NATS_CONNECTION, NatsLink } from '@berth/messaging';
import { z } from 'zod';

export const BUCKET = 'idempotency';
const DAY_MS = 24 * 3_600 * 1_000;
/** As long as the slowest request may take: whoever held a key for longer is gone. */
const LEASE_MS = 90_000;
// NATS, JetStream errors: 10071 wrong last sequence.
const WRONG_SEQUENCE = 10071;

const Kept = z.discriminatedUnion('state', [
  z.object({ state: z.literal('running'), request: z.string(), until: z.number() }),
  z.object({
    state: z.literal('answered'),
    request: z.string(),
    status: z.int(),
    location: z.string().nullable(),
    body: z.unknown(),
  }),
  z.object({ state: z.literal('refused'), request: z.string(), problem: Problem }),
  // The answer held a secret, which is stored nowhere.
  z.object({ state: z.literal('withheld'), request: z.string() }),
]);
export type Kept = z.infer<typeof Kept>;

/** What is known of a key: it is ours to use from now on, or was used before. */
export type Claim = { ours: true; revision: number } | { ours: false; kept: Kept };

/** Idempotency keys for a day, in a NATS key-value bucket: any gateway knows what any other has done. */
@Injectable()
export class IdempotencyStore {
  private bucket: Promise<KV> | null = null;

  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    private readonly link: NatsLink,
  ) {}

  /** Takes the key for this request, atomically, unless it was taken before and not left since. */
  async claim(key: string, request: string): Promise<Claim> {
    return this.withBucket(async (bucket) => {
      const running: Kept = { state: 'running', request, until: Date.now() + LEASE_MS };
      const entry = await bucket.get(key);
      const revision = entry?.operation === 'PUT' ? entry.revision : 0;
      const kept = revision ? parse(entry) : null;
      if (kept && !(kept.state === 'running' && kept.until < Date.now())) return { ours: false, kept };
      try {
        const taken = kept
          ? await bucket.update(key, JSON.stringify(running), revision)
          : await bucket.create(key, JSON.stringify(running));
        return { ours: true, revision: taken };
      } catch (error) {
        if (!isConflict(error)) throw error;
        return { ours: false, kept: running };
      }
    });
  }

  async keep(key: string, kept: Kept, revision: number): Promise<void> {
    await this.withBucket((bucket) => bucket.update(key, JSON.stringify(kept), revision));
  }

  /** Forgets the key: nothing came of the request, and it may be sent again. */
  async forget(key: string): Promise<void> {
    await this.withBucket((bucket) => bucket.delete(key));
  }

  private async withBucket<T>(work: (bucket: KV) => Promise<T>): Promise<T> {
    if (!this.link.connected) throw unavailable();
    try {
      this.bucket ??= new Kvm(this.connection).create(BUCKET, { ttl: DAY_MS, history: 1 });
      return await work(await this.bucket);
    } catch (error) {
      // Made anew next time: it may be the bucket itself that is gone.
      this.bucket = null;
      throw error instanceof BerthError ? error : unavailable(error);
    }
  }
}

function parse(entry: KvEntry | null): Kept | null {
  const parsed = entry ? Kept.safeParse(entry.json()) : null;
  return parsed?.success ? parsed.data : null;
}

function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_SEQUENCE;
}

function unavailable(cause?: unknown): BerthError {
  return new BerthError(
    'SERVICE_UNAVAILABLE',
    'The store of idempotency keys does not answer, so nothing was done. Try again.',
    {},
    { cause },
  );
}
