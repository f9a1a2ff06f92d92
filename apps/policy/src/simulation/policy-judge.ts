import { ClosureEvaluator } from '../cedar/closure-evaluator.js';
import { MessageTemplate } from '../cedar/message-template.js';
import { type PoliciesInForce, type Question, type Verdict, verdictOn } from '../decisions/verdict.js';
import { bindPolicies } from '../policies/bound-policies.js';
import type { CompiledPlaces } from '../policies/places.js';

/** Judges by a set of its own, beside the one in force. */
export class PolicyJudge {
  private readonly enforcing = new ClosureEvaluator();
  private readonly advising = new ClosureEvaluator();
  private readonly inForce: PoliciesInForce;

  constructor(places: CompiledPlaces) {
    const { policies, broken } = places;
    const bound = bindPolicies(places);
    this.enforcing.load(bound.enforced);
    this.advising.load(bound.advisory);
    const messages = new Map([...policies].map(([id, { message }]) => [id, new MessageTemplate(message)]));
    this.inForce = { messages, broken, members: bound.members };
  }

  judge(question: Question): Verdict {
    return verdictOn(question, this.inForce, {
      evaluate: (request) => this.enforcing.decide(request),
      advise: (request) => this.advising.decide(request),
    });
  }
}
