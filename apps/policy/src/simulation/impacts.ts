import type { PolicyAnswer, SimulatedEffect, SimulatedImpact } from '@berth/contracts';
import type { Verdict } from '../decisions/verdict.js';
import type { PastDecision } from './past-decisions.js';

const MOST_LISTED = 100;

/** Collects what a change would do to decisions, by who does what to what. They are to come newest first. */
export class Impacts {
  private readonly found = new Map<string, SimulatedImpact>();
  private readonly counts: Record<SimulatedEffect, number> = { denied: 0, allowed: 0, warned: 0 };

  add(decision: PastDecision, now: Verdict, then: Verdict): void {
    const change = difference(now, then);
    if (!change) return;
    const { effect, policies } = change;
    this.counts[effect] += 1;
    const { action, hook, principal, resource } = decision;
    const key = JSON.stringify([effect, principal, action, hook, resource.type, resource.id]);
    const known = this.found.get(key);
    if (known) {
      known.count += 1;
      return;
    }
    this.found.set(key, {
      ...{ effect, principal, action, hook, resource, count: 1 },
      ...{ lastAt: decision.time.toISOString(), decision: decision.id, policies },
    });
  }

  summary(): Record<SimulatedEffect, number> & { impacts: SimulatedImpact[]; left: number } {
    const impacts = [...this.found.values()].sort((left, right) => right.count - left.count);
    return {
      ...this.counts,
      impacts: impacts.slice(0, MOST_LISTED),
      left: Math.max(0, impacts.length - MOST_LISTED),
    };
  }
}

function difference(
  now: Verdict,
  then: Verdict,
): { effect: SimulatedEffect; policies: PolicyAnswer[] } | null {
  if (now.allowed !== then.allowed) {
    return { effect: then.allowed ? 'allowed' : 'denied', policies: then.policies };
  }
  const before = new Set(now.advice.map(({ id }) => id));
  const policies = then.advice
    .filter(({ id }) => !before.has(id))
    .map(({ id, message }) => ({ id, message }));
  return policies.length > 0 ? { effect: 'warned', policies } : null;
}
