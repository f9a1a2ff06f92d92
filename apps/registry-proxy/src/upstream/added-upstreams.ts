import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import type { SetNamedUpstream } from '@berth/contracts';
import { Notifications } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { Seal } from '../sealing/seal.js';
import { UpstreamDirectory } from './upstream-directory.js';
import { upstreamOf, type Upstream } from './upstreams.js';

/** How soon the other instances know, should the database's word not come through. */
const ROUND_MS = 2_000;

export interface UpstreamRow {
  name: string;
  url: string;
  username: string | null;
  password: Buffer | null;
  tokenHosts: string[];
  setBy: string;
  setAt: Date;
}

export const UPSTREAM_PASSWORDS = Symbol('UPSTREAM_PASSWORDS');

const COLUMNS =
  'name, url, username, password, token_hosts AS "tokenHosts", set_by AS "setBy", set_at AS "setAt"';
const READ = `SELECT ${COLUMNS} FROM upstreams`;

/** The upstreams that admins have added, and the directory's knowledge of them. */
@Injectable()
export class AddedUpstreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private known: ReadonlyMap<string, { setAt: number; upstream: Upstream }> = new Map();
  private readonly notifications: Notifications;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectEntityManager() private readonly database: EntityManager,
    private readonly directory: UpstreamDirectory,
    @Inject(UPSTREAM_PASSWORDS) private readonly passwords: Seal,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.notifications = new Notifications(database.connection, 'upstreams', () => void this.round());
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timer = setInterval(() => void this.round(), ROUND_MS).unref();
    await this.round();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.notifications.end();
  }

  /** By name, those after `after`. */
  list(after: string, limit: number): Promise<UpstreamRow[]> {
    return this.database.query(`${READ} WHERE name > $1 ORDER BY name LIMIT $2`, [after, limit]);
  }

  async put(
    { name, url, username, password, tokenHosts }: SetNamedUpstream,
    setBy: string,
    transaction: EntityManager,
  ): Promise<UpstreamRow> {
    const sealed = password === undefined ? null : this.passwords.seal(password, boundTo(name, url));
    const [row] = await transaction.query<[UpstreamRow]>(
      `INSERT INTO upstreams (name, url, username, password, token_hosts, set_by) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (name) DO UPDATE SET url = excluded.url, username = excluded.username, password = excluded.password,
         token_hosts = excluded.token_hosts, set_by = excluded.set_by, set_at = now()
       RETURNING ${COLUMNS}`,
      [name, url, username ?? null, sealed, tokenHosts, setBy],
    );
    await this.tell(transaction);
    return row;
  }

  /** False where there is none. */
  async remove(name: string, transaction: EntityManager): Promise<boolean> {
    const [, count] = await transaction.query<[unknown[], number]>('DELETE FROM upstreams WHERE name = $1', [
      name,
    ]);
    await this.tell(transaction);
    return count > 0;
  }

  /** To be called once a change is committed. */
  async refresh(): Promise<void> {
    const rows = await this.database.query<UpstreamRow[]>(READ);
    const now = new Map<string, { setAt: number; upstream: Upstream }>();
    for (const row of rows) {
      const known = this.known.get(row.name);
      const upstream = known?.setAt === row.setAt.getTime() ? known.upstream : this.open(row);
      now.set(row.name, { setAt: row.setAt.getTime(), upstream });
    }
    this.known = now;
    this.directory.replaceAdded(new Map([...now].map(([name, { upstream }]) => [name, upstream])));
  }

  private open({ name, url, username, password, tokenHosts }: UpstreamRow): Upstream {
    const settings = { url, tokenHosts };
    if (username === null || password === null) return upstreamOf(name, settings);
    const opened = this.passwords.usable ? this.passwords.open(password, boundTo(name, url)) : null;
    if (opened !== null) return upstreamOf(name, { ...settings, username, password: opened });
    // It is asked without them, and says so.
    this.logger.error({ upstream: name }, 'upstream.credentials-unreadable');
    return upstreamOf(name, settings);
  }

  private async tell(transaction: EntityManager): Promise<void> {
    await transaction.query(`SELECT pg_notify('upstreams_' || current_schema(), '')`);
  }

  private async round(): Promise<void> {
    try {
      await this.notifications.listen();
      await this.refresh();
    } catch (error) {
      this.logger.debug({ err: error }, 'upstreams.not-read');
    }
  }
}

/** Whoever can write to the database cannot have a password sent elsewhere by giving its upstream another URL. */
function boundTo(name: string, url: string): string {
  return `${name} ${url}`;
}
