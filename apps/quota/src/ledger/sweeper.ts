import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { LedgerMetrics } from './ledger-metrics.js';

export const SWEEP_SECONDS = Symbol('SWEEP_SECONDS');

/** A reservation whose time ran out before anyone said how it ended. */
interface Expired {
  id: string;
  project: string;
  environment: string;
}

// A caller may ask about its reservation again for as long as this; then its id is forgotten.
const KEEP_DECIDED = '7 days';

/** Tidies the ledger at intervals. Any number of instances may do so at once: each takes rows that no other holds. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly metrics: LedgerMetrics,
    @Inject(SWEEP_SECONDS) private readonly seconds: number,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => (this.running = this.round()), this.seconds * 1_000);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private async round(): Promise<void> {
    try {
      const expired: Expired[] = await this.dataSource.query('SELECT * FROM ledger_sweep($1)', [
        KEEP_DECIDED,
      ]);
      this.metrics.expired.inc(expired.length);
      for (const { id, project, environment } of expired) {
        this.logger.warn({ reservation: id, project, environment }, 'reservation.expired');
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'ledger.not-swept');
    }
    if (this.timer) this.onApplicationBootstrap();
  }
}
