import { Pool, type QueryResult } from 'pg';
import { z } from 'zod';
import { BerthError } from '@berth/contracts';
import type { Digest } from '../names/digest.js';

export const Segments = z.array(z.object({ key: z.string(), size: z.int().nonnegative() }));

/** Where the bytes of a blob lie. Each storing has a `data` of its own, that no other ever has. */
export const Filed = z.object({ data: z.string(), segments: Segments });
export type Filed = z.output<typeof Filed>;

const CONNECTIONS = 4;
const PAGE = 1_000;

/**
 * Which bytes are which blob. In Postgres and not in the object storage: there a change has happened or has not, and nothing that an
 * instance sent before it was killed comes late. With connections of its own: who asks may hold a transaction, and must not wait for another one's.
 */
export class BlobNames {
  private readonly pool: Pool;

  constructor(databaseUrl: string) {
    this.pool = new Pool({
      ...{ connectionString: databaseUrl, max: CONNECTIONS, application_name: 'berth-registry-proxy-store' },
      ...{ connectionTimeoutMillis: 5_000, statement_timeout: 30_000 },
    });
    // Of one that nobody uses at the moment.
    this.pool.on('error', () => undefined);
  }

  async find(digest: Digest): Promise<Filed | null> {
    const { rows } = await this.query('SELECT data, segments FROM stored_blobs WHERE digest = $1', [digest]);
    return rows.length === 0 ? null : Filed.parse(rows[0]);
  }

  /** In place of `before`; null for none. False where there is another by now. */
  async set(digest: Digest, { data, segments }: Filed, before: string | null): Promise<boolean> {
    const values = [digest, data, JSON.stringify(segments)];
    const { rowCount } =
      before === null
        ? await this.query(
            'INSERT INTO stored_blobs (digest, data, segments) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
            values,
          )
        : await this.query(
            'UPDATE stored_blobs SET data = $2, segments = $3, stored_at = now() WHERE digest = $1 AND data = $4',
            [...values, before],
          );
    return rowCount === 1;
  }

  /** Of this storing alone. */
  async remove(digest: Digest, data: string): Promise<void> {
    await this.query('DELETE FROM stored_blobs WHERE digest = $1 AND data = $2', [digest, data]);
  }

  /** By digest. */
  async *storedBefore(time: Date): AsyncIterable<string> {
    for (let last = ''; ;) {
      const { rows } = await this.query<{ digest: string }>(
        'SELECT digest FROM stored_blobs WHERE digest > $1 AND stored_at < $2 ORDER BY digest LIMIT $3',
        [last, time, PAGE],
      );
      for (const { digest } of rows) yield digest;
      if (rows.length < PAGE) return;
      last = rows[rows.length - 1].digest;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async query<Row extends object>(text: string, values: unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.pool.query<Row>(text, values);
    } catch (error) {
      const detail = 'The database does not say where the bytes of blobs lie. Try again.';
      throw new BerthError('DATABASE_UNAVAILABLE', detail, {}, { cause: error });
    }
  }
}
