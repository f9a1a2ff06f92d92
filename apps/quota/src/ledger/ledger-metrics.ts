import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { Metrics } from '@berth/runtime';

@Injectable()
export class LedgerMetrics {
  readonly reservations: Counter<'outcome'>;
  readonly overdrawn: Counter;
  readonly expired: Counter;

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
    this.reservations = new Counter({
      name: 'berth_quota_reservations_total',
      help: 'Reservations asked for, by outcome',
      labelNames: ['outcome'],
      registers,
    });
    this.overdrawn = new Counter({
      name: 'berth_quota_overdrawn_total',
      help: 'Commits that came after their reservation had ended, and broke a limit',
      registers,
    });
    this.expired = new Counter({
      name: 'berth_quota_expired_total',
      help: 'Reservations that nobody committed or released in time',
      registers,
    });
  }
}
