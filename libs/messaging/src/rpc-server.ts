import { type CustomTransportStrategy, NatsContext, ServerNats } from '@nestjs/microservices';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type Logger,
  LOGGER,
  Metrics,
  type RequestContext,
  runInContext,
  SERVICE_NAME,
} from '@berth/runtime';
import { isObservable, lastValueFrom } from 'rxjs';
import { contextFromHeaders, warningHeaders } from './headers.js';
import { NATS_CONNECTION } from './tokens.js';

/** A request as Nest's clients send it. */
interface Packet {
  id: string;
  data: unknown;
}

/**
 * Nest's NATS transport on the process's one connection. What it adds: each request runs in its own context (correlation
 * id, actor), and a stop lets the requests in flight finish before it returns. What it leaves out, since every handler
 * answers once: the way of an answer through streams, queues and ticks, which cost a sixth of the
 * decisions that policy can answer.
 */
export class NatsRpcServer extends ServerNats implements CustomTransportStrategy {
  private inFlight = 0;
  private onIdle = (): void => undefined;
  private readonly taken: Subscription[] = [];

  constructor(
    private readonly connection: NatsConnection,
    private readonly queue: string,
    private readonly metrics: Metrics,
    private readonly lines: Logger,
  ) {
    super({ queue });
  }

  override createNatsClient(): Promise<NatsConnection> {
    return Promise.resolve(this.connection);
  }

  override bindEvents(client: NatsConnection): void {
    for (const subject of this.messageHandlers.keys()) {
      const callback = (error: Error | null, message: Msg): void => {
        if (error) this.logger.error(error);
        else void this.handleMessage(subject, message);
      };
      this.taken.push(client.subscribe(subject, { queue: this.queue, callback }));
    }
  }

  override async handleMessage(subject: string, message: Msg): Promise<void> {
    const stopwatch = this.metrics.rpc.startTimer({ subject });
    const context = contextFromHeaders(message.headers);
    this.inFlight += 1;
    try {
      await runInContext(context, () => this.answer(subject, message, context));
    } catch (error) {
      this.handleError(String(error));
    } finally {
      this.inFlight -= 1;
      if (this.inFlight === 0) this.onIdle();
      const milliseconds = Math.round(stopwatch() * 10_000) / 10;
      const { correlationId } = context;
      this.lines.info({ correlationId, subject, milliseconds }, 'rpc.answered');
    }
  }

  override async close(): Promise<void> {
    await Promise.all(
      this.taken.map((subscription) => (this.connection.isClosed() ? undefined : subscription.drain())),
    );
    const idle = new Promise<void>((resolve) => (this.onIdle = resolve));
    if (this.inFlight > 0) await idle;
  }

  /** The handler is Nest's: with its guards, and with its filters, which make a stream of an error. */
  private async answer(subject: string, message: Msg, context: RequestContext): Promise<void> {
    const { id, data } = message.json<Packet>();
    const handler = this.messageHandlers.get(subject);
    let answer: string;
    try {
      const found: unknown = await handler?.(data, new NatsContext([message.subject, message.headers]));
      const response: unknown = isObservable(found) ? await lastValueFrom(found) : found;
      answer = JSON.stringify({ id, isDisposed: true, response });
    } catch (err) {
      answer = JSON.stringify({ id, isDisposed: true, err });
    }
    // What policies have warned of goes along.
    const warnings = warningHeaders(context);
    message.respond(answer, warnings && { headers: warnings });
  }
}

/** A step of `startService`: serves this service's requests over NATS. */
export async function serveRpc(app: NestFastifyApplication): Promise<void> {
  const strategy = new NatsRpcServer(
    app.get<NatsConnection>(NATS_CONNECTION),
    app.get<string>(SERVICE_NAME),
    app.get(Metrics),
    app.get<Logger>(LOGGER),
  );
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  await app.startAllMicroservices();
}
