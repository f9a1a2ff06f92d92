import { randomUUID } from 'node:crypto';
import { BerthError, type Problem } from '@berth/contracts';
import type { Logger } from '@berth/runtime';
import type { EntityManager } from 'typeorm';
import type { Digest } from '../names/digest.js';
import { upstreamUnavailable } from '../upstream/upstream-error.js';

const RENEW_MS = 2_000;
/** An instance that has not renewed its lease for so long is dead, or cut off: another one may fetch. */
const DEAD_AFTER_SECONDS = 7;
const FORGOTTEN_AFTER_SECONDS = 3_600;

/** A blob of an upstream's repository. */
export interface Wanted {
  repository: string;
  digest: Digest;
}

export interface Lease extends Wanted {
  holder: string;
}

/** How far the instance is that fetches a blob. */
export interface FetchState {
  holder: string;
  /** By which the store knows it; null until the upstream has answered. */
  partial: string | null;
  /** Bytes of the whole, where anybody told. */
  size: number | null;
  failure: Problem | null;
  alive: boolean;
}

/** Has one instance at a time fetch a blob, and lets the others know how it goes. */
export class FetchLeases {
  private readonly held = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: EntityManager,
    private readonly logger: Logger,
  ) {}

  /** Null while another one has it. A lease that failed or is dead is taken over. */
  async take({ repository, digest }: Wanted): Promise<Lease | null> {
    const holder = randomUUID();
    const taken = await this.database.query<object[]>(
      `INSERT INTO blob_fetches AS f (repository, digest, holder, renewed_at) VALUES ($1, $2, $3, now())
       ON CONFLICT (repository, digest) DO UPDATE
         SET holder = excluded.holder, partial = NULL, size = NULL, failure = NULL, renewed_at = now()
         WHERE f.failure IS NOT NULL OR f.renewed_at < now() - make_interval(secs => $4)
       RETURNING 1`,
      [repository, digest, holder, DEAD_AFTER_SECONDS],
    );
    if (taken.length === 0) return null;
    this.held.add(holder);
    this.timer ??= setInterval(() => void this.renew(), RENEW_MS).unref();
    return { repository, digest, holder };
  }

  /** Null when nobody fetches it. */
  async look({ repository, digest }: Wanted): Promise<FetchState | null> {
    const [state] = await this.database.query<(Omit<FetchState, 'size'> & { size: string | null })[]>(
      `SELECT holder, partial, size, failure, renewed_at >= now() - make_interval(secs => $3) AS alive
       FROM blob_fetches WHERE repository = $1 AND digest = $2`,
      [repository, digest, DEAD_AFTER_SECONDS],
    );
    return state ? { ...state, size: state.size === null ? null : Number(state.size) } : null;
  }

  /** The upstream has answered: from now on others may read along. */
  async announce({ holder }: Lease, partial: string, size: number | null): Promise<void> {
    await this.database.query('UPDATE blob_fetches SET partial = $2, size = $3 WHERE holder = $1', [
      holder,
      partial,
      size,
    ]);
  }

  /** It is here, or will not come for the reason that is told to whoever waits. */
  async end({ holder }: Lease, failure: unknown = null): Promise<void> {
    this.held.delete(holder);
    if (this.held.size === 0) this.timer = void clearInterval(this.timer);
    try {
      if (failure === null) await this.database.query('DELETE FROM blob_fetches WHERE holder = $1', [holder]);
      else await this.fail(holder, failure);
    } catch (error) {
      // It ends by itself when nobody renews it.
      this.logger.warn({ err: error }, 'blob-fetch.end-unsaid');
    }
  }

  private async fail(holder: string, failure: unknown): Promise<void> {
    const told =
      failure instanceof BerthError
        ? failure
        : new BerthError('UPSTREAM_UNAVAILABLE', 'The blob could not be taken in. Try again.', {
            failure: 'failed',
          });
    await this.database.query('UPDATE blob_fetches SET failure = $2 WHERE holder = $1', [
      holder,
      JSON.stringify(told.toProblem()),
    ]);
    await this.database.query(
      'DELETE FROM blob_fetches WHERE renewed_at < now() - make_interval(secs => $1)',
      [FORGOTTEN_AFTER_SECONDS],
    );
  }

  private async renew(): Promise<void> {
    try {
      await this.database.query('UPDATE blob_fetches SET renewed_at = now() WHERE holder = ANY ($1)', [
        [...this.held],
      ]);
    } catch (error) {
      this.logger.warn({ err: error }, 'blob-fetch.renew-failed');
    }
  }
}

/** Whoever fetched it is gone. */
export function fetchLost(upstream: string, digest: Digest): Error {
  return upstreamUnavailable(
    upstream,
    'failed',
    `was no longer read from while it sent ${digest}; try again`,
  );
}
