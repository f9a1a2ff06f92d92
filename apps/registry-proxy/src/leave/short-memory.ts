import type { PolicyPulse } from '@berth/contracts';
import type { PolicyStanding } from './policy-standing.js';

const MOST = 10_000;
/** What policy said is good for so long at most, as some of it goes by the time of day. */
const FOR_MS = 2_000;

interface Entry<T> {
  value: T;
  until: number;
}

/** What policy said a moment ago. Forgotten when policy stands elsewhere, when that is not known, and after two seconds anyhow. */
export class ShortMemory<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private of: PolicyPulse | null = null;

  constructor(private readonly standing: PolicyStanding) {}

  get(key: string): T | undefined {
    const { now } = this.standing;
    if (now === null || now !== this.of) return undefined;
    const entry = this.entries.get(key);
    return entry !== undefined && performance.now() < entry.until ? entry.value : undefined;
  }

  /** `before`: where policy stood before it was asked; what it said may be of then. */
  set(key: string, value: T, before: PolicyPulse | null): void {
    if (before === null || before !== this.standing.now) return;
    if (before !== this.of || this.entries.size >= MOST) this.entries.clear();
    this.of = before;
    this.entries.set(key, { value, until: performance.now() + FOR_MS });
  }
}
