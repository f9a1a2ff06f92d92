import { LRUCache } from 'lru-cache';

const MOST = 10_000;
/** For how long nobody waits for another's answer that was none for them. */
const VAIN_MS = 10_000;

/**
 * Of many who would ask the same at once, one asks, and what it is told is known to the others. Nobody is told what another one was
 * refused, or what holds for one request alone: they ask for themselves.
 */
export class OneAsks {
  private readonly asking = new Map<string, Promise<unknown>>();
  private readonly vain = new LRUCache<string, true>({ max: MOST, ttl: VAIN_MS });

  /** `look`: what is known by now. */
  async run<T>(key: string, look: () => T | undefined, ask: () => Promise<T>): Promise<T> {
    const other = this.vain.has(key) ? undefined : this.asking.get(key);
    if (other !== undefined) {
      await other.catch(() => undefined);
      const told = look();
      if (told !== undefined) return told;
      this.vain.set(key, true);
    }
    const asked = ask();
    this.asking.set(key, asked);
    try {
      return await asked;
    } finally {
      if (this.asking.get(key) === asked) this.asking.delete(key);
    }
  }
}
