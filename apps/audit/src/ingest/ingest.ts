import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { BatchConsumer, NatsLink, RECORDS } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import type { RecordRow } from '../records/record-row.js';
import { isRefusedContent, RecordStore, type Rejected } from '../records/record-store.js';
import { DURABLE, IngestMetrics } from './ingest-metrics.js';
import { parseMessage, rejectedMessage, type RecordMessage } from './parse-message.js';

const BATCH = 500;
// A batch takes a tenth of a second: what a killed instance had been given need not wait long for the next one.
const ACK_WAIT_SECONDS = 10;

/**
 * Takes the records out of the stream and into the log. A message leaves the stream after the commit that keeps it: killed
 * in between, it comes again and is known by its id.
 */
@Injectable()
export class Ingest implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly consumer: BatchConsumer;

  constructor(
    @Inject(NatsLink) link: NatsLink,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly store: RecordStore,
    private readonly metrics: IngestMetrics,
  ) {
    this.consumer = new BatchConsumer({
      connection: link.connection,
      logger,
      stream: RECORDS.name,
      durable: DURABLE,
      batch: BATCH,
      ackWaitSeconds: ACK_WAIT_SECONDS,
      handle: (messages) => this.take(messages),
    });
  }

  onApplicationBootstrap(): void {
    this.consumer.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.consumer.stop();
  }

  private async take(messages: RecordMessage[]): Promise<void> {
    try {
      await this.append(messages);
    } catch (error) {
      if (!isRefusedContent(error)) throw error;
      // One of them is what the database cannot take: by themselves, the others pass.
      for (const message of messages) await this.takeAlone(message);
    }
  }

  private async takeAlone(message: RecordMessage): Promise<void> {
    try {
      await this.append([message]);
    } catch (error) {
      if (!isRefusedContent(error)) throw error;
      await this.store.append([], [rejectedMessage(message, error)]);
      this.tellRejected([rejectedMessage(message, error)]);
    }
  }

  private async append(messages: RecordMessage[]): Promise<void> {
    const rows: RecordRow[] = [];
    const rejected: Rejected[] = [];
    for (const message of messages) {
      const parsed = parseMessage(message);
      if ('row' in parsed) rows.push(parsed.row);
      else rejected.push(parsed.rejected);
    }
    const added = await this.store.append(rows, rejected);
    this.metrics.stored.inc(added);
    this.metrics.repeated.inc(rows.length - added);
    const last = rows.at(-1);
    if (last) this.metrics.delay.set((Date.now() - Date.parse(String(last.time))) / 1_000);
    this.tellRejected(rejected);
  }

  private tellRejected(rejected: Rejected[]): void {
    this.metrics.rejected.inc(rejected.length);
    for (const { sequence, subject, reason } of rejected) {
      this.logger.error({ sequence, subject, reason }, 'record.rejected');
    }
  }
}
