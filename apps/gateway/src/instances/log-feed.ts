import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  BerthError,
  instancesRpc,
  isErrorCode,
  RecentLines,
  streamAliveSubject,
  StreamMessage,
  streamSubject,
  type LogLine,
  type LogOptions,
} from '@berth/contracts';
import type { RpcClient } from '@berth/messaging';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import type { InEnvironment } from '../http/places.js';
import { inThisRequest } from '../streams/streams.js';

/** The scheduler stops a stream of which it has heard nothing for 30 seconds. */
const ALIVE_MS = 10_000;
/** The scheduler says every 3 seconds that it is there: after this long it is not. */
const SILENCE_MS = 10_000;
/** How long somebody is looked for who goes on with a stream that broke off. */
const GIVE_UP_MS = 60_000;
const PAUSE_MS = 1_000;

export type LogRequest = z.output<typeof LogOptions> & {
  place: InEnvironment;
  /** One service, or several of an environment, or (null) all of it. */
  what: { service: string } | { services: string[] | null };
};

export interface LogSink {
  line(line: LogLine): void;
  end(error: BerthError | null): void;
}

/** One reading of what containers write. Where the scheduler that sends it goes away, another one goes on. */
export class LogFeed {
  private readonly recent = new RecentLines();
  private leave: () => void = () => undefined;
  private ended = false;
  /** For the one who asked, though it is a timer or a message that sets it off. */
  private readonly goOn = inThisRequest(() => void this.resume());

  constructor(
    private readonly connection: NatsConnection,
    private readonly rpc: RpcClient,
    private readonly request: LogRequest,
    private readonly sink: LogSink,
  ) {}

  /** Resolves when the scheduler has begun to send. */
  async start(): Promise<void> {
    const { tail, since } = this.request;
    await this.open(tail, since);
  }

  stop(): void {
    this.ended = true;
    this.leave();
  }

  /** Listens, then asks the scheduler to send; one connection carries both in this order. */
  private async open(tail: number | null, since: string | undefined): Promise<void> {
    const stream = uuidv7();
    const silence = setTimeout(() => this.broken(tooSilent()), SILENCE_MS);
    const subscription = this.connection.subscribe(streamSubject(stream), {
      callback: (_error, message) => {
        silence.refresh();
        this.take(message.data);
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
      await this.ask(stream, tail, since);
    } catch (error) {
      this.leave();
      throw error;
    }
    if (this.ended) this.leave();
    else sayAlive();
  }

  private async ask(stream: string, tail: number | null, since: string | undefined): Promise<void> {
    const { place, what, follow } = this.request;
    const request = { ...place, stream, follow, tail, ...(since === undefined ? {} : { since }) };
    if ('service' in what) await this.rpc.call(instancesRpc.streamLogs, { ...request, ...what });
    else await this.rpc.call(instancesRpc.streamEnvironmentLogs, { ...request, ...what });
  }

  private take(data: Uint8Array): void {
    const parsed = StreamMessage.safeParse(JSON.parse(Buffer.from(data).toString('utf8')));
    if (!parsed.success || this.ended) return;
    const message = parsed.data;
    if (message.type === 'line' && this.recent.isNew(message.line)) this.sink.line(message.line);
    if (message.type !== 'end') return;
    const { code, detail } = message;
    if (code === null) return this.end(null);
    const error = new BerthError(isErrorCode(code) ? code : 'INTERNAL', detail ?? 'The stream broke.');
    if (error.code === 'SERVICE_UNAVAILABLE') this.broken(error);
    else this.end(error);
  }

  /** The one who sent is gone. The past is asked for again by the reader; what is followed goes on. */
  private broken(error: BerthError): void {
    this.leave();
    if (this.ended) return;
    if (this.request.follow) this.goOn();
    else this.end(error);
  }

  private async resume(): Promise<void> {
    const from = this.recent.resume();
    const [tail, since] = from === null ? [this.request.tail, this.request.since] : [null, from];
    for (const until = Date.now() + GIVE_UP_MS; !this.ended; await delay(PAUSE_MS)) {
      try {
        return await this.open(tail, since);
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
    this.sink.end(error);
  }
}

function tooSilent(): BerthError {
  return new BerthError(
    'SERVICE_UNAVAILABLE',
    'The scheduler that sent this output is silent, and no other has taken its place. Try again.',
  );
}
