import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { POLICY_ENV, type PolicyEnv } from '../env.js';

const ROUND_MS = 3_600_000;
const BATCH = 5_000;

/** Removes decisions that are older than the setting says, some at a time. */
@Injectable()
export class DecisionRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private rounds: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(POLICY_ENV) private readonly env: PolicyEnv,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds = setInterval(() => void this.round(), ROUND_MS).unref();
    void this.round();
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
    if (this.rounds) clearInterval(this.rounds);
  }

  /** Returns how many it removed. */
  async removeOld(): Promise<number> {
    let removed = 0;
    for (let count = BATCH; count === BATCH && !this.stopping; removed += count) {
      const [, deleted]: [unknown[], number] = await this.dataSource.query(
        `DELETE FROM decisions WHERE id IN
           (SELECT id FROM decisions WHERE time < now() - $1 * interval '1 day' LIMIT ${BATCH})`,
        [this.env.DECISION_RETENTION_DAYS],
      );
      count = deleted;
    }
    return removed;
  }

  private async round(): Promise<void> {
    try {
      const removed = await this.removeOld();
      if (removed > 0) this.logger.info({ removed }, 'decisions.removed');
    } catch (error) {
      this.logger.warn({ err: error }, 'decisions.not-removed');
    }
  }
}
