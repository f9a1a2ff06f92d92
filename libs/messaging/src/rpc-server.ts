import { type CustomTransportStrategy, ServerNats } from '@nestjs/microservices';
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
import { contextFromHeaders, warningHeaders } from './headers.js';
import { NATS_CONNECTION } from './tokens.js';

/**
 * Nest's NATS transport on the process's one connection. What it adds: each request runs in its own context (correlation
 * id, actor), and a stop lets the requests in flight finish before it returns.
 */
export class NatsRpcServer extends ServerNats implements CustomTransportStrategy {
  private readonly inFlight = new Set<Promise<unknown>>();
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
      const callback = this.getMessageHandler(subject).bind(this) as (
        error: Error | null,
        message: Msg,
      ) => void;
      this.taken.push(client.subscribe(subject, { queue: this.queue, callback }));
    }
  }

  override handleMessage(channel: string, message: Msg): Promise<unknown> {
    const stopwatch = this.metrics.rpc.startTimer({ subject: channel });
    const context = contextFromHeaders(message.headers);
    const onAnswer = (): void => {
      const milliseconds = Math.round(stopwatch() * 10_000) / 10;
      this.lines.info(
        { correlationId: context.correlationId, subject: channel, milliseconds },
        'rpc.answered',
      );
    };
    const work = runInContext(context, async () => {
      await super.handleMessage(channel, withReplyNoticed(message, context, onAnswer));
    });
    const answered = replied(message, work);
    this.inFlight.add(answered);
    void answered.finally(() => this.inFlight.delete(answered)).catch(() => undefined);
    return work;
  }

  override async close(): Promise<void> {
    await Promise.all(
      this.taken.map((subscription) => (this.connection.isClosed() ? undefined : subscription.drain())),
    );
    await Promise.allSettled(this.inFlight);
  }
}

const REPLIED = Symbol('replied');
type Noticed = Msg & { [REPLIED]?: Promise<void> };

// What policies have warned of goes along. Nest answers through an Observable that outlives the handler's promise: the answer itself is the end of a request.
function withReplyNoticed(message: Msg, context: RequestContext, answered: () => void): Msg {
  const respond = message.respond.bind(message);
  let notice = (): void => undefined;
  (message as Noticed)[REPLIED] = new Promise<void>((resolve) => (notice = resolve));
  message.respond = (data, options) => {
    try {
      const warnings = warningHeaders(context);
      return respond(data, warnings ? { ...options, headers: warnings } : options);
    } finally {
      answered();
      notice();
    }
  };
  return message;
}

async function replied(message: Msg, work: Promise<unknown>): Promise<void> {
  await work;
  if (message.reply) await (message as Noticed)[REPLIED];
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
