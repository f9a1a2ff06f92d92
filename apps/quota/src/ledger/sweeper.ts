import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { LOGGER, type Logger } from '@berth/runtime';
import { LedgerMetrics } from './ledger-metrics.js';
import { Ledger } from './ledger.js';

export const SWEEP_SECONDS = Symbol('SWEEP_SECONDS');

/** Tidies the ledger at intervals. Any number of instances may do so at once: each takes rows that no other holds. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly ledger: Ledger,
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
      const expired = await this.ledger.sweep();
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
