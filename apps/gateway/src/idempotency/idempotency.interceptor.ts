import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { requireActor } from '@berth/actions';
import { asBerthError, LOGGER, type Logger } from '@berth/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { defer, lastValueFrom, type Observable } from 'rxjs';
import { IdempotencyStore, type Kept } from './idempotency.store.js';
import { Reflector } from '@nestjs/core';
import { ANSWERS_SECRET } from './answers-secret.js';

const HEADER = 'idempotency-key';
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Answers a POST that is sent again with the same `Idempotency-Key` as it answered the first one, and does it once. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly store: IdempotencyStore,
    private readonly reflector: Reflector,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = request.headers[HEADER];
    if (request.method !== 'POST' || key === undefined) return next.handle();
    if (request.body instanceof Readable)
      throw new BerthError(
        'VALIDATION_FAILED',
        'This is done once for each request: leave the Idempotency-Key out.',
      );
    return defer(() => this.once(context, next, String(key)));
  }

  private async once(context: ExecutionContext, next: CallHandler, given: string): Promise<unknown> {
    if (!KEY.test(given)) {
      throw new BerthError(
        'VALIDATION_FAILED',
        'The Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.',
        { fields: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }] },
      );
    }
    const http = context.switchToHttp();
    const { method, url, body } = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const key = digest([requireActor().user, method, url, given]);
    const fingerprint = digest([JSON.stringify(body ?? null)]);
    const claim = await this.store.claim(key, fingerprint);
    if (!claim.ours) return replay(claim.kept, fingerprint, reply);
    try {
      const answer: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      const secret = this.reflector.get<boolean | undefined>(ANSWERS_SECRET, context.getHandler()) ?? false;
      await this.keep(key, claim.revision, answered(fingerprint, answer, reply, secret));
      return answer;
    } catch (thrown) {
      const error = asBerthError(thrown);
      await (error.status >= 500
        ? this.forget(key)
        : this.keep(key, claim.revision, {
            state: 'refused',
            request: fingerprint,
            problem: error.toProblem(),
          }));
      throw thrown;
    }
  }

  /** What was done is done: that it could not be noted is no reason to answer that it was not. */
  private async keep(key: string, revision: number, kept: Kept): Promise<void> {
    await this.store
      .keep(key, kept, revision)
      .catch((error: unknown) => this.logger.warn({ err: error }, 'idempotency.not-kept'));
  }

  private async forget(key: string): Promise<void> {
    await this.store
      .forget(key)
      .catch((error: unknown) => this.logger.warn({ err: error }, 'idempotency.not-forgotten'));
  }
}

function answered(request: string, body: unknown, reply: FastifyReply, secret: boolean): Kept {
  if (secret) return { state: 'withheld', request };
  const location = reply.getHeader('location');
  return {
    state: 'answered',
    request,
    status: reply.statusCode,
    location: typeof location === 'string' ? location : null,
    body: body ?? null,
  };
}

function replay(kept: Kept, fingerprint: string, reply: FastifyReply): unknown {
  if (kept.request !== fingerprint) {
    throw new BerthError(
      'IDEMPOTENCY_MISMATCH',
      'This Idempotency-Key came with another body before. Use a new key for a new request.',
    );
  }
  if (kept.state === 'running') {
    throw new BerthError('IDEMPOTENCY_IN_FLIGHT', 'The same request is under way. Ask again in a moment.');
  }
  if (kept.state === 'withheld') {
    throw new BerthError(
      'CONFLICT',
      'This was done, but its answer held a secret, which is not kept. Revoke what it made if you lost it, and use a new key.',
    );
  }
  void reply.header('idempotency-replayed', 'true');
  if (kept.state === 'refused') throw BerthError.fromProblem(kept.problem);
  void reply.status(kept.status);
  if (kept.location) void reply.header('location', kept.location);
  return kept.body ?? undefined;
}

/** Length-prefixed, so that no two lists of parts come to the same text. */
function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.digest('hex');
}
