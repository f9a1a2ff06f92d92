import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { asBerthError, correlationId, currentContext, newRequestContext, runInContext } from '@berth/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Authenticator } from '../authentication/authenticator.js';
import { SseStream, type SseOptions } from './sse-stream.js';

const HEARTBEAT_MS = 15_000;
/** How often a long stream asks whether its token still holds. */
const RECHECK_MS = 30_000;

/** Something that a client holds open. */
export interface LiveStream {
  /** The gateway stops: the client is to come back. */
  finish(): void;
  /** Its token holds no more. */
  fail(error: BerthError): void;
}

/** The open live streams: each is kept alive, ends with its token, and ends when the gateway stops. */
@Injectable()
export class Streams implements BeforeApplicationShutdown {
  private readonly open = new Map<LiveStream, FastifyRequest>();
  private readonly clock = setInterval(() => void this.recheckAll(), RECHECK_MS).unref();

  constructor(private readonly authenticator: Authenticator) {}

  get size(): number {
    return this.open.size;
  }

  /** Answers the request with a stream. What was begun for it ends in `onClose`, however it comes to its end. */
  start(request: FastifyRequest, reply: FastifyReply, options: SseOptions, onClose: () => void): SseStream {
    const stream = new SseStream(options);
    const release = this.watch(request, {
      finish: () => stream.finish(),
      fail: (error) => fail(stream, error),
    });
    const heartbeat = setInterval(() => stream.heartbeat(), HEARTBEAT_MS);
    stream.once('close', () => {
      clearInterval(heartbeat);
      release();
      onClose();
    });
    void reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      // For nginx and its like: pass on what comes as it comes.
      .header('x-accel-buffering', 'no')
      .send(stream);
    return stream;
  }

  /** Until it is released, it ends with the token of its request, and when the gateway stops. */
  watch(request: FastifyRequest, stream: LiveStream): () => void {
    this.open.set(stream, request);
    return () => this.open.delete(stream);
  }

  /** Before the server stops listening: it waits for open requests, and these would never end. Clients come back. */
  beforeApplicationShutdown(): void {
    clearInterval(this.clock);
    for (const stream of this.open.keys()) stream.finish();
  }

  /** Ends the streams whose token holds no more. */
  async recheckAll(): Promise<void> {
    await Promise.all([...this.open].map(([stream, request]) => this.recheck(stream, request)));
  }

  private async recheck(stream: LiveStream, request: FastifyRequest): Promise<void> {
    try {
      await this.authenticator.authenticate(request.headers.authorization);
    } catch (error) {
      // Policy being away for a moment is no reason to end what it allowed.
      if (error instanceof BerthError && error.status === 401) stream.fail(error);
    }
  }
}

/** Ends a stream with an event `error` that holds the problem: its HTTP status has been sent long ago. */
export function fail(stream: SseStream, thrown: unknown): void {
  stream.finish({ event: 'error', data: asBerthError(thrown).toProblem(correlationId()) });
}

/** Runs later work, from timers and subscriptions, as part of the request that asked for it. */
export function inThisRequest<Arguments extends unknown[]>(
  work: (...args: Arguments) => void,
): (...args: Arguments) => void {
  const context = currentContext() ?? newRequestContext();
  return (...args) => runInContext(context, () => work(...args));
}
