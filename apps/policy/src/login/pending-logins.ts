import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { BerthError } from '@berth/contracts';
import { handleHash, newHandle, seal, unseal } from './sealed-code.js';

/** Anybody can begin a login: no more than this are kept at a time. */
const MOST = 1_000;
/** RFC 8628, section 3.5: what a provider that wants fewer questions is given. */
const SLOWER_SECONDS = 5;

/** The turn of one poll. */
export interface Turn {
  client: string;
  deviceCode: string;
}

/** Logins that somebody has to confirm, where every instance finds them. */
@Injectable()
export class PendingLogins {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Answers the handle. Throws TOO_MANY_REQUESTS. */
  async add(
    client: string,
    deviceCode: string,
    { intervalSeconds, expiresAt }: { intervalSeconds: number; expiresAt: Date },
  ): Promise<string> {
    const handle = newHandle();
    await this.dataSource.query('DELETE FROM pending_logins WHERE expires_at <= now()');
    const added: unknown[] = await this.dataSource.query(
      `INSERT INTO pending_logins (handle_hash, client, sealed_code, interval_seconds, next_poll_at, expires_at)
       SELECT $1, $2, $3, $4, now(), $5 WHERE (SELECT count(*) FROM pending_logins) < ${MOST} RETURNING 1`,
      [handleHash(handle), client, seal(handle, deviceCode), intervalSeconds, expiresAt],
    );
    if (added.length > 0) return handle;
    throw new BerthError(
      'TOO_MANY_REQUESTS',
      `${MOST} logins are under way already. Try again in a few minutes.`,
    );
  }

  /** Whose turn it is to ask the provider: null before the interval is over. Undefined where there is no such login. */
  async takeTurn(handle: string): Promise<{ turn: Turn | null; intervalSeconds: number } | undefined> {
    const hash = handleHash(handle);
    const [taken]: [{ client: string; sealed_code: Buffer; interval_seconds: number }[], number] =
      await this.dataSource.query(
        `UPDATE pending_logins SET next_poll_at = now() + interval_seconds * interval '1 second'
         WHERE handle_hash = $1 AND next_poll_at <= now() AND expires_at > now()
         RETURNING client, sealed_code, interval_seconds`,
        [hash],
      );
    if (taken.length > 0) {
      const [{ client, sealed_code: sealed, interval_seconds: intervalSeconds }] = taken;
      return { turn: { client, deviceCode: unseal(handle, sealed) }, intervalSeconds };
    }
    const [waiting]: { interval_seconds: number }[] = await this.dataSource.query(
      'SELECT interval_seconds FROM pending_logins WHERE handle_hash = $1 AND expires_at > now()',
      [hash],
    );
    return waiting && { turn: null, intervalSeconds: waiting.interval_seconds };
  }

  /** Answers the new interval, in seconds. */
  async slowDown(handle: string): Promise<number> {
    const [[{ interval_seconds: seconds }]]: [{ interval_seconds: number }[], number] =
      await this.dataSource.query(
        `UPDATE pending_logins SET interval_seconds = interval_seconds + ${SLOWER_SECONDS},
           next_poll_at = now() + (interval_seconds + ${SLOWER_SECONDS}) * interval '1 second'
         WHERE handle_hash = $1 RETURNING interval_seconds`,
        [handleHash(handle)],
      );
    return seconds;
  }

  /** False when it was over already: of two, one gets the token. */
  async end(handle: string, transaction: EntityManager = this.dataSource.manager): Promise<boolean> {
    const [, affected]: [unknown[], number] = await transaction.query(
      'DELETE FROM pending_logins WHERE handle_hash = $1',
      [handleHash(handle)],
    );
    return affected > 0;
  }
}
