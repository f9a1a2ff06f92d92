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
 * answers once: the way of an answer through streams, queues and ticks, which cost as much as all the rest of a decision
 * by policy.
 */
export class NatsRpcServer extends ServerNats implements CustomTransportStrategy {
  private readonly inFlight = new Set<Promise<void>>();
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
    const work = runInContext(context, () => this.answer(subject, message, context));
    this.inFlight.add(work);
    try {
      await work;
    } catch (error) {
      this.handleError(String(error));
    } finally {
      this.inFlight.delete(work);
      const milliseconds = Math.round(stopwatch() * 10_000) / 10;
      const { correlationId } = context;
      this.lines.info({ correlationId, subject, milliseconds }, 'rpc.answered');
    }
  }

  override async close(): Promise<void> {
    await Promise.all(
      this.taken.map((subscription) => (this.connection.isClosed() ? undefined : subscription.drain())),
    );
    await Promise.allSettled(this.inFlight);
  }

  /** What policies have warned of goes along. */
  private async answer(subject: string, message: Msg, context: RequestContext): Promise<void> {
    const { id, data } = message.json<Packet>();
    const reply = await this.replyTo(subject, message, data);
    const warnings = warningHeaders(context);
    const answer = JSON.stringify({ id, isDisposed: true, ...reply });
    message.respond(answer, warnings ? { headers: warnings } : undefined);
  }

  /** The handler is Nest's: with its guards, and with its filters, which make a stream of an error. */
  private async replyTo(
    subject: string,
    message: Msg,
    data: unknown,
  ): Promise<{ response: unknown } | { err: unknown }> {
    const handler = this.messageHandlers.get(subject);
    try {
      const found: unknown = await handler?.(data, new NatsContext([message.subject, message.headers]));
      return { response: isObservable(found) ? await lastValueFrom(found) : found };
    } catch (err) {
      return { err };
    }
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
