import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { errors, type Msg } from '@nats-io/transport-node';
import type { z } from 'zod';
import { BerthError, parseOrThrow, Problem, type Principal, type RpcDefinition } from '@berth/contracts';
import { currentContext } from '@berth/runtime';
import { contextHeaders, warningsFromHeaders } from './headers.js';
import { NatsLink } from './link.js';

export interface CallOptions {
  /** Whom it is done for; the actor of the present request unless given. */
  actor?: Principal | null;
  /** Milliseconds; the definition's own unless given. */
  timeout?: number;
}

interface Packet {
  response?: unknown;
  err?: unknown;
  isDisposed?: boolean;
}

/** Asks another service, in the packet format of Nest's NATS transport. */
@Injectable()
export class RpcClient {
  constructor(@Inject(NatsLink) private readonly link: NatsLink) {}

  /**
   * Answers what the service answered. Throws its error as it threw it, or `SERVICE_UNAVAILABLE` when it is not there,
   * does not answer in time, or the connection is down.
   */
  async call<Request extends z.ZodType, Response extends z.ZodType>(
    rpc: RpcDefinition<Request, Response>,
    payload: z.input<Request>,
    options: CallOptions = {},
  ): Promise<z.output<Response>> {
    if (!this.link.connected) throw unavailable(rpc, 'the message bus is not reachable');
    const context = currentContext();
    const actor = options.actor !== undefined ? options.actor : (context?.actor ?? null);
    const body = JSON.stringify({ id: randomUUID(), pattern: rpc.subject, data: payload });
    let reply: Msg;
    try {
      reply = await this.link.connection.request(rpc.subject, body, {
        timeout: options.timeout ?? rpc.timeout,
        headers: contextHeaders(context?.correlationId ?? randomUUID(), actor),
      });
    } catch (error) {
      throw unavailable(rpc, reasonOf(error), error);
    }
    for (const warning of warningsFromHeaders(reply.headers)) context?.warnings.set(warning.id, warning);
    const packet = reply.json<Packet>();
    if (packet.err !== undefined && packet.err !== null) throw errorOf(rpc, packet.err);
    return parseOrThrow(rpc.response, packet.response, `The answer of ${rpc.subject}`);
  }
}

function errorOf(rpc: RpcDefinition, err: unknown): BerthError {
  const problem = Problem.safeParse(err);
  if (problem.success) return BerthError.fromProblem(problem.data);
  return new BerthError('INTERNAL', `${rpc.service} failed to answer ${rpc.method}.`, {}, { cause: err });
}

function unavailable(rpc: RpcDefinition, why: string, cause?: unknown): BerthError {
  return new BerthError(
    'SERVICE_UNAVAILABLE',
    `The service "${rpc.service}" did not answer ${rpc.method}: ${why}. Try again; "berth doctor" says what is down.`,
    { service: rpc.service },
    { cause },
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.NoRespondersError) return 'no instance of it is running';
  if (error instanceof errors.RequestError && error.isNoResponders()) return 'no instance of it is running';
  if (error instanceof errors.TimeoutError) return 'no answer in time';
  return error instanceof Error ? error.message : String(error);
}
