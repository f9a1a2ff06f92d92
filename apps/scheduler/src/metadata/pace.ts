/** Beyond this many keys, those that have long been at rest are forgotten. */
const KEPT = 1_000;

/** Spreads requests out: after a burst, so many a second of each key. Nobody is refused, only slowed down. */
export class Pace {
  /** By key, when the next may begin, as if there were no burst. */
  private readonly next = new Map<string, number>();
  private readonly gapMs: number;
  private readonly burstMs: number;

  constructor({ perSecond, burst }: { perSecond: number; burst: number }) {
    this.gapMs = 1_000 / perSecond;
    this.burstMs = burst * this.gapMs;
  }

  /** How many milliseconds a request of `key` that comes at `now` has to wait. */
  delay(key: string, now: number): number {
    const rested = now - this.burstMs;
    const begin = Math.max(this.next.get(key) ?? rested, rested);
    if (this.next.size >= KEPT) {
      for (const [other, next] of this.next) if (next <= rested) this.next.delete(other);
    }
    this.next.set(key, begin + this.gapMs);
    return Math.max(0, begin + this.gapMs - now);
  }
}
