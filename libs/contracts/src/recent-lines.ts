import type { LogLine } from './instances.js';

/** Lines of several services may come out of order by this much at most. */
const OVERLAP_MS = 3_000;
const PRUNE_AT = 20_000;

/** The last lines that were passed on, so that a stream that is taken up again repeats none of them. */
export class RecentLines {
  private readonly seen = new Map<string, number>();
  private last = -Infinity;
  /** The first line of each instance. */
  private readonly firsts = new Map<string, string>();
  /** What lies before was left out when the reading began, and is not wanted now either. */
  private floors = new Map<string, string>();

  get size(): number {
    return this.seen.size;
  }

  /** Begins to take the stream up again. Answers from when on to ask for it; null where nothing has come yet. */
  resume(): string | null {
    this.floors = new Map(this.firsts);
    return this.last === -Infinity ? null : new Date(this.last - OVERLAP_MS).toISOString();
  }

  /** Whether this line has not come yet; it has from now on. */
  isNew({ time, instance, stream, line }: LogLine): boolean {
    if (time === null) return true;
    const key = `${time} ${instance} ${stream} ${line}`;
    const floor = this.floors.get(instance);
    if (this.seen.has(key) || (floor !== undefined && time < floor)) return false;
    const at = Date.parse(time);
    this.last = Math.max(this.last, at);
    this.seen.set(key, at);
    const first = this.firsts.get(instance);
    if (first === undefined || time < first) this.firsts.set(instance, time);
    if (this.seen.size >= PRUNE_AT) this.prune();
    return true;
  }

  private prune(): void {
    for (const [key, at] of this.seen) if (at < this.last - OVERLAP_MS) this.seen.delete(key);
  }
}
