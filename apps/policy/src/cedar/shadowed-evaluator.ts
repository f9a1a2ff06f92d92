import { Counter } from 'prom-client';
import type { Metrics } from '@berth/runtime';
import type { Evaluation, EvaluationRequest, Evaluator, PolicySet } from './evaluator.js';

/**
 * Decides by one evaluator and asks another, the oracle, about a sample of the same decisions. Where they do not agree, one of
 * them is wrong and nobody knows which: that decision is `disputed`, and allows nothing.
 */
export class ShadowedEvaluator implements Evaluator {
  private decisions = 0;
  private readonly checks: Counter;

  constructor(
    private readonly deciding: Evaluator,
    private readonly oracle: Evaluator,
    /** Each which decision is checked; 0 for none. */
    private readonly oneIn: number,
    metrics: Metrics,
  ) {
    this.checks = new Counter({
      name: 'berth_policy_shadow_checks_total',
      help: 'Decisions that a second evaluator was asked about too, by whether both agreed',
      labelNames: ['agreed'],
      registers: [metrics.registry],
    });
  }

  load(policies: PolicySet): void {
    // The oracle first: it is the one that can refuse for want of memory, and both have to decide by the same set.
    if (this.oneIn > 0) this.oracle.load(policies);
    this.deciding.load(policies);
  }

  decide(request: EvaluationRequest): Evaluation {
    const decided = this.deciding.decide(request);
    this.decisions += 1;
    if (this.oneIn === 0 || this.decisions % this.oneIn !== 0) return decided;
    const expected = this.oracle.decide(request);
    const agreed = essence(decided) === essence(expected);
    this.checks.inc({ agreed: String(agreed) });
    return agreed ? decided : { ...decided, allowed: false, disputed: { decided, expected } };
  }
}

/** All but the words: each evaluator has its own for an error. */
function essence({ allowed, determining, errors }: Evaluation): string {
  return JSON.stringify([allowed, [...determining].sort(), errors.map(({ policy }) => policy).sort()]);
}
