import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import {
  BerthError,
  policyRpc,
  type CloudEvent,
  type EventPlace,
  eventSubject,
  type Principal,
  type RpcDefinition,
} from '@berth/contracts';
import { contextFromHeaders } from '@berth/messaging';
import type { RequestContext } from '@berth/runtime';
import type { TestNats } from '@berth/testing';
import type { z } from 'zod';

export interface Asked {
  subject: string;
  payload: unknown;
  actor: Principal | null;
  correlationId: string;
}

type Handler = (payload: never, context: RequestContext) => unknown;

const SERVICES = ['policy', 'scheduler', 'quota', 'audit'] as const;

export const mira: Principal = {
  user: 'mira',
  kind: 'user',
  admin: false,
  teams: [{ team: 'acme', role: 'developer' }],
  tokenId: '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0d',
  scopes: ['*'],
  expiresAt: null,
};

/** The other services as the gateway meets them on the bus, each with its own credentials: they answer what a spec says. */
export class Peers {
  readonly asked: Asked[] = [];
  private readonly handlers = new Map<string, Handler>();
  private readonly connections = new Map<string, NatsConnection>();

  async start(nats: TestNats): Promise<void> {
    for (const service of SERVICES) {
      const connection = await connect(nats.as(service));
      this.connections.set(service, connection);
      connection.subscribe(`berth.rpc.${service}.>`, {
        queue: service,
        callback: (_error, message) => void this.answer(message),
      });
      await connection.flush();
    }
    this.reset();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.connections.values()].map((connection) => connection.close()));
  }

  /** Forgets what was asked and said; the token `good` is mira's again. */
  reset(): void {
    this.asked.length = 0;
    this.handlers.clear();
    this.on(policyRpc.authenticate, ({ token }) => {
      if (token === 'good') return mira;
      throw new BerthError(token === 'old' ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED', 'The token does not hold.');
    });
  }

  on<Request extends z.ZodType, Response extends z.ZodType>(
    rpc: RpcDefinition<Request, Response>,
    handler: (
      payload: z.output<Request>,
      context: RequestContext,
    ) => z.input<Response> | Promise<z.input<Response>>,
  ): void {
    this.handlers.set(rpc.subject, handler as Handler);
  }

  /** What was asked beside who a token stands for. */
  get requests(): Asked[] {
    return this.asked.filter(({ subject }) => subject !== policyRpc.authenticate.subject);
  }

  as(service: (typeof SERVICES)[number]): NatsConnection {
    const connection = this.connections.get(service);
    if (!connection) throw new Error(`${service} is not connected`);
    return connection;
  }

  publishEvent(type: string, place: EventPlace, data: unknown): void {
    const event: CloudEvent = {
      specversion: '1.0',
      id: crypto.randomUUID(),
      source: '/berth/scheduler',
      type,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data,
    };
    this.as('scheduler').publish(eventSubject(type, place), JSON.stringify(event));
  }

  private async answer(message: Msg): Promise<void> {
    const { id, data } = message.json<{ id: string; data: unknown }>();
    const context = contextFromHeaders(message.headers);
    const { actor, correlationId } = context;
    this.asked.push({ subject: message.subject, payload: data, actor, correlationId });
    const handler = this.handlers.get(message.subject);
    // As a service that is there but hangs: nobody answers.
    if (!handler) return;
    try {
      const response = await handler(data as never, context);
      message.respond(JSON.stringify({ id, response, isDisposed: true }));
    } catch (error) {
      const problem = (error as BerthError).toProblem(correlationId);
      message.respond(JSON.stringify({ id, err: problem, isDisposed: true }));
    }
  }
}
