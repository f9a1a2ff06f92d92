import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type Consumer,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '@berth/runtime';
import { ensureStreams } from './streams.js';

export interface BatchConsumerOptions {
  connection: NatsConnection;
  logger: Logger;
  stream: string;
  durable: string;
  /** Of the stream's subjects, these alone; set once, when the consumer is first made. */
  subject?: string;
  /** Messages a batch at most. */
  batch?: number;
  /** How long a message may be out before the stream gives it to someone else; 30 when left out. */
  ackWaitSeconds?: number;
  /** Commits what the messages say, and must bear to be given one again; they are acknowledged after it returns. */
  handle: (messages: JsMsg[]) => Promise<void>;
}

const RETRY_MS = 500;

/**
 * A durable pull consumer: takes what is there as one batch, and while that is handled gathers the next. Acknowledges
 * after the handler's commit; tries again for ever.
 */
export class BatchConsumer {
  private readonly gathered: JsMsg[] = [];
  private stopping = false;
  private running: Promise<void> = Promise.resolve();
  private wake: () => void = () => undefined;
  private readonly ackWaitMs: number;
  private keptAt = 0;

  constructor(private readonly options: BatchConsumerOptions) {
    this.ackWaitMs = (options.ackWaitSeconds ?? 30) * 1_000;
  }

  start(): void {
    this.running = this.run();
  }

  /** Ends after the batch at hand; what was gathered beyond it is given back to the stream. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.consume();
      } catch (error) {
        if (this.stopping) return;
        this.options.logger.warn({ err: error, stream: this.options.stream }, 'consumer.interrupted');
        await this.woken(RETRY_MS);
      }
    }
  }

  private async consume(): Promise<void> {
    const { batch = 200 } = this.options;
    const consumer = await this.consumer();
    let closed: Error | void | null = null;
    const feed = await consumer.consume({
      max_messages: batch * 2,
      callback: (message) => {
        this.gathered.push(message);
        this.wake();
      },
    });
    void feed.closed().then((error) => {
      closed = error ?? undefined;
      this.wake();
    });
    try {
      while (!this.stopping && closed === null) {
        if (this.gathered.length === 0) await this.woken(RETRY_MS);
        const messages = this.gathered.splice(0, batch);
        if (messages.length === 0) continue;
        while (!(await this.handled(messages))) {
          if (this.stopping) return;
          this.keep(messages);
          await this.woken(RETRY_MS);
        }
      }
    } finally {
      await feed.close();
      for (const message of this.gathered.splice(0)) message.nak();
    }
  }

  /**
   * Tells the server that these are ours still, and what was gathered behind them: without a word it would give them out
   * again, to others and to us, as long as the handler fails.
   */
  private keep(messages: JsMsg[]): void {
    if (performance.now() - this.keptAt < this.ackWaitMs / 3) return;
    this.keptAt = performance.now();
    for (const message of [...messages, ...this.gathered]) message.working();
  }

  private async handled(messages: JsMsg[]): Promise<boolean> {
    try {
      await this.options.handle(messages);
    } catch (error) {
      this.options.logger.warn({ err: error, messages: messages.length }, 'consumer.try-again');
      return false;
    }
    for (const message of messages) message.ack();
    return true;
  }

  private async consumer(): Promise<Consumer> {
    const { connection, stream, durable, subject } = this.options;
    await ensureStreams(connection);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    // Adding a consumer that is there resets, in nats-server 2.9, what it knows of deliveries under way.
    if (!(await isThere(manager, stream, durable))) {
      await manager.consumers.add(stream, {
        durable_name: durable,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ...(subject === undefined ? {} : { filter_subject: subject }),
        ack_wait: this.ackWaitMs * 1_000_000,
        max_ack_pending: 10_000,
        max_deliver: -1,
      });
    }
    return jetstream(connection).consumers.get(stream, durable);
  }

  /** Until something happens, or for so many milliseconds at most. */
  private woken(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function isThere(manager: JetStreamManager, stream: string, durable: string): Promise<boolean> {
  try {
    await manager.consumers.info(stream, durable);
    return true;
  } catch (error) {
    // Any other answer, or none, says nothing about it.
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound) return false;
    throw error;
  }
}
