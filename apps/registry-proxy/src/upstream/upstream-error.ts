import { BerthError } from '@berth/contracts';

/** Why an upstream gave no answer; each has its own HTTP status towards registry clients. */
export type UpstreamFailure = 'unreachable' | 'timeout' | 'invalid' | 'failed' | 'refused';

/**
 * The upstream did not answer, or not with what it should have. Never thrown for a clear 404, and a 404 is never made of it: clients take
 * "not found" for the truth and stop asking.
 */
export function upstreamUnavailable(
  upstream: string,
  failure: UpstreamFailure,
  detail: string,
  cause?: unknown,
): BerthError {
  return new BerthError(
    'UPSTREAM_UNAVAILABLE',
    `upstream ${upstream} ${detail}`,
    { upstream, failure },
    { cause },
  );
}

/** `retryAfter` is the upstream's own header: seconds or an HTTP date. */
export function upstreamRateLimited(upstream: string, retryAfter: string | undefined): BerthError {
  const when = retryAfter === undefined ? '' : `; it says to retry after ${retryAfter}`;
  return new BerthError('UPSTREAM_RATE_LIMITED', `upstream ${upstream} limits the rate of requests${when}`, {
    upstream,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

/** Whether a copy that is here already may be served instead. */
export function isUpstreamTrouble(error: unknown): error is BerthError {
  return (
    error instanceof BerthError &&
    (error.code === 'UPSTREAM_UNAVAILABLE' || error.code === 'UPSTREAM_RATE_LIMITED')
  );
}
