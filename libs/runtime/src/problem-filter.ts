import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { throwError, type Observable } from 'rxjs';
import { asBerthError } from './failures.js';
import type { Logger } from './logger.js';
import { correlationId } from './request-context.js';
import { LOGGER } from './tokens.js';

/** The one filter: an error leaves as RFC 9457 problem+json over HTTP, and as the same problem over NATS. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): Observable<never> | void {
    const error = asBerthError(thrown);
    if (error.status >= 500)
      this.logger.error({ err: error.cause ?? error, code: error.code }, 'request.failed');
    const problem = error.toProblem(correlationId());
    if (host.getType() === 'rpc') return throwError(() => problem);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (error.status === 401) void reply.header('www-authenticate', 'Bearer realm="berth"');
    void reply.status(error.status).header('content-type', 'application/problem+json').send(problem);
  }
}
