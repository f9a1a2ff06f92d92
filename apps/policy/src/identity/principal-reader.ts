import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { ANONYMOUS, Name } from '@berth/contracts';
import type { Subject } from '../cedar/entities.js';
import { LOGGER, type Logger } from '@berth/runtime';
import type { Asker } from '../decisions/verdict.js';
import { type AskerRow, KnownAskers, type Moment } from './known-askers.js';

/** Who asks, as the database has them now, and the revision of the policies at the same moment. */
export interface FreshAsker extends Asker {
  revision: number;
}

const MOMENT =
  '(SELECT epoch FROM identity_epoch) AS epoch, (SELECT revision FROM policy_revision) AS revision, now() AS now';

const READ_MOMENT = { name: 'moment', text: `SELECT ${MOMENT}` };

const READ_ASKERS = {
  name: 'askers',
  text: `
    SELECT ${MOMENT}, asked.position, u.kind, u.admin, u.team,
           (SELECT coalesce(json_agg(json_build_object('team', m.team, 'role', m.role)), '[]'::json)
            FROM members m WHERE m.user_name = u.name) AS teams,
           t.scopes, t.expires_at AS "expiresAt", t.revoked_at IS NOT NULL AS revoked
    FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS asked (name, token, position)
    LEFT JOIN users u ON u.name = asked.name
    LEFT JOIN tokens t ON t.id = asked.token AND t.user_name = u.name`,
};

interface Waiting {
  key: string;
  name: string;
  tokenId: string | null;
  answer: Promise<FreshAsker>;
  settle: (asker: FreshAsker) => void;
  fail: (error: unknown) => void;
}

const DEADLINE_MS = 3_000;
const BATCH = 500;

/**
 * Reads users, memberships and tokens for decisions, so that what was revoked is so at once: each answer is of a moment after the
 * question. What is known of somebody holds as long as the database says, at that moment, that nothing about anybody has
 * changed since. All that is asked while one query runs goes into the next one. It has connections of its own: a decision
 * within a transaction must not wait for one of those that transactions hold.
 */
@Injectable()
export class PrincipalReader implements OnApplicationShutdown {
  private readonly pool: pg.Pool;
  private readonly known = new KnownAskers();
  private waiting = new Map<string, Waiting>();
  private running = false;

  constructor(@InjectDataSource() dataSource: DataSource, @Inject(LOGGER) logger: Logger) {
    const { url } = dataSource.options as { url?: string };
    this.pool = new pg.Pool({
      connectionString: url,
      application_name: 'berth-policy-decisions',
      max: 1,
      connectionTimeoutMillis: DEADLINE_MS,
      query_timeout: DEADLINE_MS,
    });
    this.pool.on('error', (error) => logger.warn({ err: error }, 'database.connection-lost'));
  }

  /** Rejects when the database does not answer. */
  read(name: string, tokenId: string | null): Promise<FreshAsker> {
    const key = `${tokenId ?? ''} ${name}`;
    const known = this.waiting.get(key);
    if (known) return known.answer;
    let settle: Waiting['settle'] = () => undefined;
    let fail: Waiting['fail'] = () => undefined;
    const answer = new Promise<FreshAsker>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    this.waiting.set(key, { key, name, tokenId, answer, settle, fail });
    if (!this.running) void this.run();
    return answer;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  private async run(): Promise<void> {
    this.running = true;
    // What is asked in the same turn goes along.
    await Promise.resolve();
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()].slice(0, BATCH);
      for (const { key } of batch) this.waiting.delete(key);
      await this.answer(batch);
    }
    this.running = false;
  }

  private async answer(batch: readonly Waiting[]): Promise<void> {
    try {
      const { rows } = await this.pool.query<Moment>(READ_MOMENT);
      const unknown = this.settle(batch, rows[0]);
      if (unknown.length > 0) await this.readAskers(unknown);
    } catch (error) {
      for (const { fail } of batch) fail(error);
    }
  }

  /** Answers those who are known, and returns the others. */
  private settle(batch: readonly Waiting[], moment: Moment): Waiting[] {
    return batch.filter((asked) => {
      const row = this.known.get(asked.key, moment);
      if (row) asked.settle(toAsker(asked, row, moment));
      return !row;
    });
  }

  private async readAskers(batch: readonly Waiting[]): Promise<void> {
    // What is no name at all is nobody's; PostgreSQL would refuse some of it, and the batch with it.
    const names = batch.map(({ name }) => (Name.safeParse(name).success ? name : ''));
    const values = [names, batch.map(({ tokenId }) => tokenId)];
    const { rows } = await this.pool.query<AskerRow & Moment>({ ...READ_ASKERS, values });
    const found = new Map(rows.map((row) => [Number(row.position) - 1, row]));
    batch.forEach((asked, index) => {
      const row = found.get(index);
      if (!row) return asked.fail(new Error('the database did not answer for all that was asked'));
      this.known.set(asked.key, row, row);
      asked.settle(toAsker(asked, row, row));
    });
  }
}

const subjects = new WeakMap<AskerRow, Subject>();

/** The same one for as long as their row is known. */
function subjectOf(name: string, row: AskerRow): Subject | null {
  const { kind, admin, teams, team } = row;
  if (kind === null) return nobody(name);
  let found = subjects.get(row);
  if (!found) subjects.set(row, (found = { name, kind, admin: admin === true, teams, team }));
  return found;
}

function toAsker({ name, tokenId }: Waiting, row: AskerRow, { revision, now }: Moment): FreshAsker {
  const { scopes, expiresAt, revoked } = row;
  return {
    name,
    revision,
    subject: subjectOf(name, row),
    token:
      tokenId === null
        ? 'none'
        : scopes === null
          ? 'unknown'
          : { scopes, expired: expiresAt !== null && expiresAt <= now, revoked: revoked === true },
  };
}

/** Who shows no token has no row, and belongs nowhere. */
function nobody(name: string): Subject | null {
  return name === ANONYMOUS ? { name, kind: 'user', admin: false, teams: [] } : null;
}
