import { BerthError, type ErrorCode } from '@berth/contracts';

// PostgreSQL, appendix A: class 08 and 57P0x mean that the server went away or is not ready, 53300 that it is full.
const DATABASE_AWAY = /^(08...|57P0[123]|53300)$/;
const SOCKET_AWAY = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT']);
const POOL_AWAY =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection/;

// What Fastify says, in our words.
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BODY_INVALID',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_INVALID',
};

/** Any thrown thing as the error that may leave the house. What is unforeseen says nothing of its inside. */
export function asBerthError(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  if (!(thrown instanceof Error)) return new BerthError('INTERNAL', 'Something unforeseen happened.');
  const { code, status, statusCode } = thrown as Error & {
    code?: unknown;
    status?: unknown;
    statusCode?: unknown;
  };
  const known = typeof code === 'string' ? FASTIFY_CODES[code] : undefined;
  if (known) return new BerthError(known, thrown.message);
  if (isDatabaseAway(thrown)) {
    return new BerthError(
      'DATABASE_UNAVAILABLE',
      'The database does not answer; nothing was changed. Try again.',
      {},
      { cause: thrown },
    );
  }
  const http = status ?? statusCode;
  if (http === 404) return new BerthError('NOT_FOUND', thrown.message);
  if (http === 405) return new BerthError('METHOD_NOT_ALLOWED', thrown.message);
  // Nest rewraps what Fastify throws and keeps the status only.
  if (http === 413) return new BerthError('BODY_TOO_LARGE', thrown.message);
  if (http === 415) return new BerthError('MEDIA_TYPE_UNSUPPORTED', thrown.message);
  if (http === 400) return new BerthError('BODY_INVALID', thrown.message);
  return new BerthError(
    'INTERNAL',
    'Something unforeseen happened; the log has it under the correlation id.',
    {},
    { cause: thrown },
  );
}

/** Whether a connection to the database failed for a reason that passes: it is not there yet, or not ready. */
export function isDatabaseNotYetThere(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null)?.code;
  return (
    (typeof code === 'string' && SOCKET_AWAY.has(code)) || (thrown instanceof Error && isDatabaseAway(thrown))
  );
}

function isDatabaseAway(error: Error): boolean {
  const { code, driverError } = error as Error & { code?: unknown; driverError?: unknown };
  if (driverError instanceof Error && driverError !== error && isDatabaseAway(driverError)) return true;
  if (typeof code === 'string' && DATABASE_AWAY.test(code)) return true;
  return (
    POOL_AWAY.test(error.message) ||
    (typeof code === 'string' && SOCKET_AWAY.has(code) && /postgres|:\d+$|connect/i.test(error.message))
  );
}
