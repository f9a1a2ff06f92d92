import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '@berth/runtime';
import { ensureStreams } from './streams.js';

export interface BatchConsumerOptions {
  connection: NatsConnection;
  logger: Logger;
  stream: string;
  durable: string;
  /** Messages a batch at most. */
  batch?: number;
  /** Commits what the messages say, and must bear to be given one again; they are acknowledged after it returns. */
  handle: (messages: JsMsg[]) => Promise<void>;
}

const RETRY_MS = 500;

/** A durable pull consumer: takes batches, acknowledges after the handler's commit, tries again for ever. */
export class BatchConsumer {
  private stopping = false;
  private running: Promise<void> = Promise.resolve();
  private interrupt: () => void = () => undefined;

  constructor(private readonly options: BatchConsumerOptions) {}

  start(): void {
    this.running = this.run();
  }

  /** Ends after the batch at hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.interrupt();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.consume();
      } catch (error) {
        if (this.stopping) return;
        this.options.logger.warn({ err: error, stream: this.options.stream }, 'consumer.interrupted');
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RETRY_MS);
          this.interrupt = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  }

  private async consume(): Promise<void> {
    const { connection, stream, durable, batch = 200, handle } = this.options;
    await ensureStreams(connection);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await manager.consumers.add(stream, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: 30_000_000_000,
      max_ack_pending: 10_000,
      max_deliver: -1,
    });
    const consumer = await jetstream(connection).consumers.get(stream, durable);
    while (!this.stopping) {
      const pull = await consumer.fetch({ max_messages: batch, expires: 1_000 });
      this.interrupt = () => void pull.close();
      const messages: JsMsg[] = [];
      for await (const message of pull) {
        messages.push(message);
        // The last one there is: wait for no fuller batch.
        if (message.info.pending === 0) break;
      }
      if (messages.length === 0) continue;
      try {
        await handle(messages);
      } catch (error) {
        for (const message of messages) message.nak(RETRY_MS);
        throw error;
      }
      for (const message of messages) message.ack();
    }
  }
}
