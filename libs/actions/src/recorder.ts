import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { AuditRecord } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import { Outbox } from '@berth/messaging';

const FLUSH_MS = 250;
const MOST_WAITING = 10_000;

/** Keeps the records of mere reads for a moment, and writes them to the outbox in batches. */
@Injectable()
export class ReadRecorder implements BeforeApplicationShutdown {
  private waiting: AuditRecord[] = [];
  private readonly unwritten = new Map<object, AuditRecord>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Whether there is room: without it a read does not happen, as no record of it could be kept. */
  get hasRoom(): boolean {
    return this.waiting.length < MOST_WAITING;
  }

  /** Once more by the same grant: until it is written, one record tells how often. */
  add(grant: object, compose: () => AuditRecord): void {
    const known = this.unwritten.get(grant);
    if (known) {
      known.times = (known.times ?? 1) + 1;
      return;
    }
    const record = compose();
    this.unwritten.set(grant, record);
    this.waiting.push(record);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private async flush(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const batch = this.waiting;
    if (batch.length === 0) return;
    this.waiting = [];
    this.unwritten.clear();
    try {
      await this.dataSource.transaction((transaction) => this.outbox.records(transaction, batch));
    } catch (error) {
      this.logger.warn({ err: error, records: batch.length }, 'records.wait');
      this.waiting = [...batch, ...this.waiting];
      this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS * 4);
    }
  }
}
