import { Counter } from 'prom-client';
import type { Metrics } from '@berth/runtime';
import type { Evaluation, EvaluationRequest, Evaluator, PolicySet } from './evaluator.js';

/** How often an oracle is asked too, and what came of it. */
export class ShadowChecks {
  private readonly checks: Counter;

  constructor(
    /** Each which decision is checked; 0 for none. */
    readonly oneIn: number,
    metrics: Metrics,
  ) {
    this.checks = new Counter({
      name: 'berth_policy_shadow_checks_total',
      help: 'Decisions that a second evaluator was asked about too, by whether both agreed',
      labelNames: ['agreed'],
      registers: [metrics.registry],
    });
  }

  count(agreed: boolean): void {
    this.checks.inc({ agreed: String(agreed) });
  }
}

/**
 * Decides by one evaluator and asks another, the oracle, about a sample of the same decisions. Where they do not agree, one of
 * them is wrong and nobody knows which: that decision is `disputed`, and allows nothing.
 */
export class ShadowedEvaluator implements Evaluator {
  private decisions = 0;

  constructor(
    private readonly deciding: Evaluator,
    private readonly oracle: Evaluator,
    private readonly checks: ShadowChecks,
  ) {}

  load(policies: PolicySet): void {
    // The oracle first: it is the one that can refuse for want of memory, and both have to decide by the same set.
    if (this.checks.oneIn > 0) this.oracle.load(policies);
    this.deciding.load(policies);
  }

  decide(request: EvaluationRequest): Evaluation {
    const decided = this.deciding.decide(request);
    this.decisions += 1;
    const { oneIn } = this.checks;
    if (oneIn === 0 || this.decisions % oneIn !== 0) return decided;
    const expected = this.oracle.decide(request);
    const agreed = essence(decided) === essence(expected);
    this.checks.count(agreed);
    return agreed ? decided : { ...decided, allowed: false, disputed: { decided, expected } };
  }
}

/** All but the words: each evaluator has its own for an error. */
function essence({ allowed, determining, errors }: Evaluation): string {
  return JSON.stringify([allowed, [...determining].sort(), errors.map(({ policy }) => policy).sort()]);
}
