import type { PolicyPulse } from '@berth/contracts';
import type { PolicyStanding } from './policy-standing.js';

const MOST = 10_000;
/** What policy said is good for so long at most, as some of it goes by the time of day. */
const FOR_MS = 2_000;
/** Then one who comes is to ask anew, while the others go by what was said: when it is over, all would ask at once, and wait. */
const RENEWED_AFTER_MS = 1_000;

interface Entry<T> {
  value: T;
  /** When policy was asked. */
  at: number;
  renewing: boolean;
}

/** When policy is asked something, and where it stood then: what it says may be of that moment. */
export interface Asking {
  at: number;
  standing: PolicyPulse | null;
}

/** What policy said a moment ago. Forgotten when policy stands elsewhere, when that is not known, and after two seconds anyhow. */
export class ShortMemory<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private of: PolicyPulse | null = null;

  constructor(private readonly standing: PolicyStanding) {}

  /** Undefined to whoever is to ask, and to set what is said. */
  get(key: string): T | undefined {
    const entry = this.valid(key);
    if (entry === undefined) return undefined;
    if (entry.renewing || performance.now() < entry.at + RENEWED_AFTER_MS) return entry.value;
    entry.renewing = true;
    return undefined;
  }

  has(key: string): boolean {
    return this.valid(key) !== undefined;
  }

  /** To be called before policy is asked. */
  asking(): Asking {
    return { at: performance.now(), standing: this.standing.now };
  }

  set(key: string, value: T, { at, standing }: Asking): void {
    if (standing === null || standing !== this.standing.now) return;
    if (standing !== this.of || this.entries.size >= MOST) this.entries.clear();
    this.of = standing;
    const known = this.entries.get(key);
    // Who asked later was faster.
    if (known === undefined || known.at < at) this.entries.set(key, { value, at, renewing: false });
  }

  private valid(key: string): Entry<T> | undefined {
    const { now } = this.standing;
    if (now === null || now !== this.of) return undefined;
    const entry = this.entries.get(key);
    return entry !== undefined && performance.now() < entry.at + FOR_MS ? entry : undefined;
  }
}
