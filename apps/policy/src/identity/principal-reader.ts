import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { Name, type Role } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import type { Asker } from '../decisions/verdict.js';

/** Who asks, as the database has them now, and the revision of the policies at the same moment. */
export interface FreshAsker extends Asker {
  revision: number;
}

interface Row {
  position: string;
  revision: number;
  kind: 'user' | 'service' | null;
  team: string | null;
  admin: boolean | null;
  teams: { team: string; role: Role }[];
  scopes: string[] | null;
  expired: boolean | null;
  revoked: boolean | null;
}

const READ = {
  name: 'askers',
  text: `
    SELECT asked.position, (SELECT revision FROM policy_revision) AS revision, u.kind, u.admin, u.team,
           (SELECT coalesce(json_agg(json_build_object('team', m.team, 'role', m.role)), '[]'::json)
            FROM members m WHERE m.user_name = u.name) AS teams,
           t.scopes, t.expires_at <= now() AS expired, t.revoked_at IS NOT NULL AS revoked
    FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS asked (name, token, position)
    LEFT JOIN users u ON u.name = asked.name
    LEFT JOIN tokens t ON t.id = asked.token AND t.user_name = u.name`,
};

interface Waiting {
  name: string;
  tokenId: string | null;
  answer: Promise<FreshAsker>;
  settle: (asker: FreshAsker) => void;
  fail: (error: unknown) => void;
}

const DEADLINE_MS = 3_000;
const BATCH = 500;
/** Queries at once: what is asked while all of them run waits for the first that ends. */
const AT_ONCE = 2;

/**
 * Reads users, memberships and tokens for decisions: never from a cache, so that what was revoked is so at once. All that
 * is asked while one query runs goes into the next one, and each query begins after all that it answers was asked. It has
 * connections of its own: a decision within a transaction must not wait for one of those that transactions hold.
 */
@Injectable()
export class PrincipalReader implements OnApplicationShutdown {
  private readonly pool: pg.Pool;
  private waiting = new Map<string, Waiting>();
  private running = 0;

  constructor(@InjectDataSource() dataSource: DataSource, @Inject(LOGGER) logger: Logger) {
    const { url } = dataSource.options as { url?: string };
    this.pool = new pg.Pool({
      connectionString: url,
      application_name: 'berth-policy-decisions',
      max: AT_ONCE,
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
    this.waiting.set(key, { name, tokenId, answer, settle, fail });
    if (this.running < AT_ONCE) void this.run();
    return answer;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  private async run(): Promise<void> {
    this.running += 1;
    // What is asked in the same turn goes along.
    await Promise.resolve();
    while (this.waiting.size > 0) {
      const batch = [...this.waiting].slice(0, BATCH);
      for (const [key] of batch) this.waiting.delete(key);
      await this.answer(batch.map(([, asked]) => asked));
    }
    this.running -= 1;
  }

  private async answer(batch: readonly Waiting[]): Promise<void> {
    try {
      // What is no name at all is nobody's; PostgreSQL would refuse some of it, and the batch with it.
      const names = batch.map(({ name }) => (Name.safeParse(name).success ? name : ''));
      const { rows } = await this.pool.query<Row>({
        ...READ,
        values: [names, batch.map(({ tokenId }) => tokenId)],
      });
      const found = new Map(rows.map((row) => [Number(row.position) - 1, row]));
      batch.forEach((asked, index) => {
        const row = found.get(index);
        if (row) asked.settle(toAsker(asked, row));
        else asked.fail(new Error('the database did not answer for all that was asked'));
      });
    } catch (error) {
      for (const { fail } of batch) fail(error);
    }
  }
}

function toAsker({ name, tokenId }: Waiting, row: Row): FreshAsker {
  const { kind, admin, team, teams, scopes, revision } = row;
  return {
    name,
    revision,
    subject: kind === null ? null : { name, kind, admin: admin === true, teams, team },
    token:
      tokenId === null
        ? 'none'
        : scopes === null
          ? 'unknown'
          : { scopes, expired: row.expired === true, revoked: row.revoked === true },
  };
}
