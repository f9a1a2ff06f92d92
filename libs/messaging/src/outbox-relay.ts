import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { NatsLink } from './link.js';
import { Notifications } from './notifications.js';
import { ensureStreams } from './streams.js';

const BATCH = 200;
const ROUND_MS = 1_000;

interface Row {
  position: string;
  id: string;
  subject: string;
  payload: string;
}

/**
 * Publishes the outbox: takes rows that no other relay holds, publishes each with its id as message id (so that one sent
 * again after a crash is known), deletes them once the stream has acknowledged all, in one transaction.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly jetstream: JetStreamClient;
  /** Hears of each commit; without it the relay still goes its rounds. */
  private readonly notifications: Notifications;
  private stopping = false;
  private running: Promise<void> = Promise.resolve();
  private wake: () => void = () => undefined;
  private streamsReady = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(NatsLink) private readonly link: NatsLink,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.jetstream = jetstream(link.connection, { timeout: 5_000 });
    this.notifications = new Notifications(dataSource, 'outbox', () => this.wake());
  }

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  /** What is left is published before the process goes; what can't be stays in the table for the next one. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.running;
    await this.flush().catch((error: unknown) => this.logger.warn({ err: error }, 'outbox.left-for-later'));
    await this.notifications.end();
  }

  /** Publishes all that is there now. */
  async flush(): Promise<void> {
    if (!this.link.connected) return;
    if (!this.streamsReady) {
      await ensureStreams(this.link.connection);
      this.streamsReady = true;
    }
    while ((await this.publishBatch()) === BATCH);
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ROUND_MS);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      try {
        await this.notifications
          .listen()
          .catch((error: unknown) => this.logger.warn({ err: error }, 'outbox.not-listening'));
        await this.flush();
      } catch (error) {
        this.logger.warn({ err: error }, 'outbox.not-published');
      }
      await woken;
    }
  }

  private async publishBatch(): Promise<number> {
    return this.dataSource.transaction(async (transaction) => {
      const rows: Row[] = await transaction.query(
        `SELECT position, id, subject, payload FROM outbox ORDER BY position LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
      );
      if (rows.length === 0) return 0;
      await Promise.all(
        rows.map((row) => this.jetstream.publish(row.subject, row.payload, { msgID: row.id })),
      );
      await transaction.query('DELETE FROM outbox WHERE position = ANY($1)', [
        rows.map((row) => row.position),
      ]);
      return rows.length;
    });
  }
}
