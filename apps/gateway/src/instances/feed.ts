import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { BerthError, isErrorCode, streamAliveSubject, StreamMessage, streamSubject } from '@berth/contracts';
import { newId } from '@berth/runtime';
import { inThisRequest } from '../streams/streams.js';

/** The scheduler stops a stream of which it has heard nothing for 30 seconds. */
const ALIVE_MS = 10_000;
/** The scheduler says every 3 seconds that it is there: after this long it is not. */
const SILENCE_MS = 10_000;
/** How long somebody is looked for who goes on with a stream that broke off. */
const GIVE_UP_MS = 60_000;
const PAUSE_MS = 1_000;

export interface FeedPlan {
  /** Whether another scheduler is asked to go on where one goes away. */
  follow: boolean;
  /** Asks a scheduler to send; `again` where another one did before. */
  ask(stream: string, again: boolean): Promise<unknown>;
  /** Takes what it sends. */
  take(message: StreamMessage): void;
  /** Called once: there is nothing more to come. */
  end(error: BerthError | null): void;
}

/** One stream from the scheduler. Where the one that sends it goes away, another one goes on. */
export class Feed {
  private leave: () => void = () => undefined;
  private ended = false;
  /** For the one who asked, though it is a timer or a message that sets it off. */
  private readonly goOn = inThisRequest(() => void this.resume());

  constructor(
    private readonly connection: NatsConnection,
    private readonly plan: FeedPlan,
  ) {}

  /** Resolves when the scheduler has begun to send. */
  async start(): Promise<void> {
    await this.open(false);
  }

  stop(): void {
    this.ended = true;
    this.leave();
  }

  /** Listens, then asks the scheduler to send; one connection carries both in this order. */
  private async open(again: boolean): Promise<void> {
    const stream = newId();
    const silence = setTimeout(() => this.broken(tooSilent()), SILENCE_MS);
    const subscription = this.connection.subscribe(streamSubject(stream), {
      callback: (_error, message) => {
        silence.refresh();
        this.receive(message.data);
      },
    });
    const sayAlive = (): void => this.connection.publish(streamAliveSubject(stream));
    const alive = setInterval(sayAlive, ALIVE_MS);
    this.leave = () => {
      clearTimeout(silence);
      clearInterval(alive);
      subscription.unsubscribe();
    };
    try {
      await this.plan.ask(stream, again);
    } catch (error) {
      this.leave();
      throw error;
    }
    if (this.ended) this.leave();
    else sayAlive();
  }

  private receive(data: Uint8Array): void {
    const parsed = StreamMessage.safeParse(JSON.parse(Buffer.from(data).toString('utf8')));
    if (!parsed.success || this.ended) return;
    const message = parsed.data;
    if (message.type !== 'end') return this.plan.take(message);
    const { code, detail } = message;
    if (code === null) return this.end(null);
    const error = new BerthError(isErrorCode(code) ? code : 'INTERNAL', detail ?? 'The stream broke.');
    if (error.code === 'SERVICE_UNAVAILABLE') this.broken(error);
    else this.end(error);
  }

  /** The one who sent is gone. The present state is asked for again by the reader; what is followed goes on. */
  private broken(error: BerthError): void {
    this.leave();
    if (this.ended) return;
    if (this.plan.follow) this.goOn();
    else this.end(error);
  }

  private async resume(): Promise<void> {
    for (const until = Date.now() + GIVE_UP_MS; !this.ended; await delay(PAUSE_MS)) {
      try {
        return await this.open(true);
      } catch (thrown) {
        const passing = thrown instanceof BerthError && thrown.status === 503;
        if (passing && Date.now() < until) continue;
        return this.end(thrown instanceof BerthError ? thrown : tooSilent());
      }
    }
  }

  private end(error: BerthError | null): void {
    if (this.ended) return;
    this.stop();
    this.plan.end(error);
  }
}

function tooSilent(): BerthError {
  return new BerthError(
    'SERVICE_UNAVAILABLE',
    'The scheduler that sent this is silent, and no other has taken its place. Try again.',
  );
}
