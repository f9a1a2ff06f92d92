import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { Decision, DecisionRequest } from '@berth/contracts';
import { correlationId, Metrics } from '@berth/runtime';
import type { Evaluation } from '../cedar/evaluator.js';
import { DecisionLog } from './decision-log.js';
import { Disputes } from './disputes.js';

/** Keeps and counts decisions, and raises the alarm over those that were disputed. */
@Injectable()
export class DecisionRecorder {
  private readonly decisions: Counter;
  private readonly advice: Counter;

  constructor(
    private readonly log: DecisionLog,
    private readonly disputes: Disputes,
    metrics: Metrics,
  ) {
    const registers = [metrics.registry];
    this.decisions = new Counter({
      name: 'berth_policy_decisions_total',
      help: 'Decisions, by action, hook and answer',
      labelNames: ['action', 'hook', 'allowed'],
      registers,
    });
    this.advice = new Counter({
      name: 'berth_policy_advice_total',
      help: 'What would have been denied by policies that are bound to warn or as a dry run, or have an exception',
      labelNames: ['policy', 'mode'],
      registers,
    });
  }

  /** Whether there is room: without it nothing is decided, as no decision may go unkept. */
  get hasRoom(): boolean {
    return this.log.hasRoom;
  }

  add(request: DecisionRequest, decision: Decision, evaluations: readonly Evaluation[]): void {
    for (const { disputed } of evaluations) if (disputed) this.disputes.raise(request, decision, disputed);
    this.log.add(request, decision, correlationId());
    const { action, hook } = request;
    this.decisions.inc({ action, hook, allowed: String(decision.allowed) });
    for (const { id: policy, mode } of decision.advice) this.advice.inc({ policy, mode });
  }
}
