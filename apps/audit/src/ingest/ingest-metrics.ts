import { Inject, Injectable } from '@nestjs/common';
import { jetstreamManager } from '@nats-io/jetstream';
import { Counter, Gauge } from 'prom-client';
import { NatsLink, RECORDS } from '@berth/messaging';
import { Metrics } from '@berth/runtime';

/** The durable consumer of the records' stream. */
export const DURABLE = 'audit';

@Injectable()
export class IngestMetrics {
  readonly stored: Counter;
  readonly repeated: Counter;
  readonly rejected: Counter;
  /** Seconds between a record's own time and its being stored, of the last one. */
  readonly delay: Gauge;

  constructor(
    metrics: Metrics,
    @Inject(NatsLink) private readonly link: NatsLink,
  ) {
    const registers = [metrics.registry];
    this.stored = new Counter({
      name: 'berth_audit_records_stored_total',
      help: 'Records appended to the log',
      registers,
    });
    this.repeated = new Counter({
      name: 'berth_audit_records_repeated_total',
      help: 'Records that were delivered again and were there already',
      registers,
    });
    this.rejected = new Counter({
      name: 'berth_audit_messages_rejected_total',
      help: 'Messages that are no records, kept in the table "rejected"',
      registers,
    });
    this.delay = new Gauge({
      name: 'berth_audit_ingest_delay_seconds',
      help: 'Age of the last record stored, when it was stored',
      registers,
    });
    // Asked for at each scrape.
    const lag: Gauge = new Gauge({
      name: 'berth_audit_ingest_lag_records',
      help: 'Records in the stream that are not stored yet',
      registers,
      collect: async () => lag.set(await this.waiting()),
    });
  }

  /** NaN when it cannot be known. */
  private async waiting(): Promise<number> {
    if (!this.link.connected) return NaN;
    try {
      const manager = await jetstreamManager(this.link.connection, { checkAPI: false, timeout: 1_000 });
      const { num_pending, num_ack_pending } = await manager.consumers.info(RECORDS.name, DURABLE);
      return num_pending + num_ack_pending;
    } catch {
      return NaN;
    }
  }
}
