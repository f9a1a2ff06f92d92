const MOST = 20;
const REFILL_MS = 1_000;

/** How many records may be written of what anybody can cause: 20 at once, one more each second. */
export class RecordAllowance {
  private left = MOST;
  private since: number | null = null;
  private skipped = 0;

  /** How many went without one since the last that was allowed; null when this one has to as well. */
  take(nowMs: number): number | null {
    this.since ??= nowMs;
    const earned = Math.floor((nowMs - this.since) / REFILL_MS);
    this.since += earned * REFILL_MS;
    this.left = Math.min(MOST, this.left + earned);
    if (this.left === 0) {
      this.skipped += 1;
      return null;
    }
    this.left -= 1;
    const { skipped } = this;
    this.skipped = 0;
    return skipped;
  }
}
