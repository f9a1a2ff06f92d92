import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds in all; 10,000 when left out. */
  timeout?: number;
  /** Milliseconds between two tries; 50 when left out. */
  interval?: number;
}

/**
 * Tries until the function neither throws nor rejects, and returns what it returned. When the time is over, throws what
 * the last try threw: so the expectation that failed is what a person reads.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<T> {
  const { timeout = 10_000, interval = 50 } = options;
  const deadline = performance.now() + timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await delay(interval);
  }
}
