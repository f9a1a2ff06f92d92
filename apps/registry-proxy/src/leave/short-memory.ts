import type { PolicyPulse } from '@berth/contracts';
import { type Ages, AgingValue } from '../memory/aging-value.js';
import type { PolicyStanding } from './policy-standing.js';

const MOST = 10_000;
/** What policy said is good for two seconds at most, as some of it goes by the time of day. */
const AGES: Ages = { renewed: 1_000, over: 2_000 };

/** When policy is asked something, and where it stood then: what it says may be of that moment. */
export interface Asking {
  at: number;
  standing: PolicyPulse | null;
}

/** What policy said a moment ago. Forgotten when policy stands elsewhere, when that is not known, and after two seconds anyhow. */
export class ShortMemory<T> {
  private readonly entries = new Map<string, AgingValue<T>>();
  private of: PolicyPulse | null = null;

  constructor(private readonly standing: PolicyStanding) {}

  /** Undefined to whoever is to ask, and to set what is said. */
  get(key: string): T | undefined {
    return this.entry(key)?.take();
  }

  has(key: string): boolean {
    return this.entry(key)?.isOver === false;
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
    if (known === undefined || known.at < at) this.entries.set(key, new AgingValue(value, at, AGES));
  }

  private entry(key: string): AgingValue<T> | undefined {
    const { now } = this.standing;
    if (now === null || now !== this.of) return undefined;
    return this.entries.get(key);
  }
}
