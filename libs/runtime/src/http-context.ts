import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { PolicyAnswer } from '@berth/contracts';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';
import { newRequestContext, type RequestContext, runInContext } from './request-context.js';

const CONTEXT = Symbol('request context');
type WithContext = FastifyRequest & { [CONTEXT]?: RequestContext };

// Clients take 16 KiB of headers, or less.
const MOST_WARNINGS = 10;
const MOST_CHARACTERS = 300;

const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** The context of an HTTP request, for the code that runs outside its asynchronous call chain. */
export function contextOf(request: FastifyRequest): RequestContext | undefined {
  return (request as WithContext)[CONTEXT];
}

/** Gives each HTTP request its context and correlation id, and says in log and metrics how it ended. */
export function observeHttp(fastify: FastifyInstance, logger: Logger, metrics: Metrics): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const header = request.headers['x-correlation-id'];
    const context = newRequestContext(Array.isArray(header) ? header[0] : header);
    (request as WithContext)[CONTEXT] = context;
    void reply.header('x-correlation-id', context.correlationId);
    runInContext(context, done);
  });
  // Reading the body leaves the asynchronous context of `onRequest`: enter it again before the handler.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const context = contextOf(request);
    if (context) runInContext(context, done);
    else done();
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const warnings = [...(contextOf(request)?.warnings.values() ?? [])];
    const told = warnings.slice(0, MOST_WARNINGS).map(warningHeader);
    if (told.length > 0) void reply.header('berth-warning', told);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? '(none)';
    metrics.http.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1_000,
    );
    if (!QUIET.has(route)) {
      logger.info(
        {
          correlationId: contextOf(request)?.correlationId,
          method: request.method,
          route,
          status: reply.statusCode,
          milliseconds: Math.round(reply.elapsedTime * 10) / 10,
        },
        'http.answered',
      );
    }
    done();
  });
}

/** One member of a list (RFC 9110, section 5.6.1): JSON is one by its quotes, and is ASCII with all else escaped. */
function warningHeader({ id, message }: PolicyAnswer): string {
  return JSON.stringify({ id, message: message.slice(0, MOST_CHARACTERS) }).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
