import { BerthError } from '@berth/contracts';

/** How long an upstream is left alone that limits the rate, and does not say until when. */
const PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** So many questions in a row without an answer in time mean that the next would have none either. */
const MOST_TIMEOUTS = 3;
const PAUSE_AFTER_TIMEOUTS_MS = 5_000;

interface State {
  timeouts: number;
  open: { until: number; error: BerthError } | null;
}

/**
 * Keeps an upstream from being asked while it said not to, or while it answers nothing: each question more would make the first worse, and
 * have a client wait for the second. Of an instance; times in milliseconds.
 */
export class CircuitBreaker {
  private readonly states = new Map<string, State>();

  /** Throws why the upstream is not asked now, with the seconds that are left in `retryAfter`. */
  check(upstream: string): void {
    const open = this.states.get(upstream)?.open;
    if (!open) return;
    const left = open.until - Date.now();
    if (left <= 0) return;
    const { code, message, extensions } = open.error;
    throw new BerthError(
      code,
      message,
      { ...extensions, retryAfter: String(Math.ceil(left / 1_000)) },
      { cause: open.error },
    );
  }

  /** It answered, whatever it said. */
  answered(upstream: string): void {
    // An answer to what was asked before it said to wait does not end that.
    const state = this.states.get(upstream);
    if (state) state.timeouts = 0;
  }

  /** It limits the rate, or has answered nothing. */
  failed(upstream: string, error: BerthError): void {
    const state = this.states.get(upstream) ?? { timeouts: 0, open: null };
    this.states.set(upstream, state);
    if (error.code === 'UPSTREAM_RATE_LIMITED') {
      state.open = { until: Date.now() + pauseOf(error.extensions.retryAfter), error };
    } else {
      state.timeouts = error.extensions.failure === 'timeout' ? state.timeouts + 1 : 0;
      if (state.timeouts >= MOST_TIMEOUTS)
        state.open = { until: Date.now() + PAUSE_AFTER_TIMEOUTS_MS, error };
    }
  }
}

/** `Retry-After` is seconds or a date (RFC 9110, 10.2.3). */
function pauseOf(retryAfter: unknown): number {
  if (typeof retryAfter !== 'string') return PAUSE_MS;
  const told = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(told) ? PAUSE_MS : Math.min(Math.max(told, 0), LONGEST_PAUSE_MS);
}
