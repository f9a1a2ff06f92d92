import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import type { PullSources } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';

export type PulledKind = 'manifests' | 'blobs';
/** Where what is pulled came from: it was pushed here, it was here already, it was here and could not be asked about, or it had to be fetched. */
export type PullSource = keyof PullSources;

const WRITTEN_EVERY_MS = 2_000;
const KEPT_DAYS = 400;

/** Counts pulls by where they came from. What was counted in the last two seconds is lost with an instance that is killed. */
@Injectable()
export class PullCounts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private counted = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    @InjectEntityManager() private readonly database: EntityManager,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => (this.writing = this.write()), WRITTEN_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    await this.write();
  }

  add(kind: PulledKind, source: PullSource): void {
    const key = `${kind} ${source}`;
    this.counted.set(key, (this.counted.get(key) ?? 0) + 1);
  }

  /** Of so many days up to now. */
  async since(days: number): Promise<Record<PulledKind, PullSources>> {
    const rows = await this.database.query<{ kind: PulledKind; source: PullSource; pulls: string }[]>(
      `SELECT kind, source, sum(pulls) AS pulls FROM pull_counts
       WHERE day > (now() AT TIME ZONE 'UTC')::date - $1::int GROUP BY kind, source`,
      [days],
    );
    const none = (): PullSources => ({ hosted: 0, cache: 0, stale: 0, upstream: 0 });
    const found = { manifests: none(), blobs: none() };
    for (const { kind, source, pulls } of rows) found[kind][source] = Number(pulls);
    return found;
  }

  private async write(): Promise<void> {
    if (this.counted.size === 0) return;
    const counted = this.counted;
    this.counted = new Map();
    // In one order, so that instances that write at once do not wait for each other in a circle.
    const rows = [...counted].sort(([one], [other]) => (one < other ? -1 : 1));
    try {
      await this.database.query(
        `WITH old AS (DELETE FROM pull_counts WHERE day < (now() AT TIME ZONE 'UTC')::date - $3::int)
         INSERT INTO pull_counts AS p (day, kind, source, pulls)
         SELECT (now() AT TIME ZONE 'UTC')::date, split_part(key, ' ', 1), split_part(key, ' ', 2), pulls
         FROM unnest($1::text[], $2::bigint[]) AS c (key, pulls)
         ON CONFLICT (day, kind, source) DO UPDATE SET pulls = p.pulls + excluded.pulls`,
        [rows.map(([key]) => key), rows.map(([, pulls]) => pulls), KEPT_DAYS],
      );
    } catch (error) {
      for (const [key, pulls] of rows) this.counted.set(key, (this.counted.get(key) ?? 0) + pulls);
      this.logger.debug({ err: error }, 'pulls.not-written');
    }
  }
}
