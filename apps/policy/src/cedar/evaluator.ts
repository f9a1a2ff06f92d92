import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Entity } from '@berth/cedar';
import type { ActionDefinition, Hook } from '@berth/contracts';

/** A question in Cedar's terms. `context` holds the facts as the action's schema has parsed them, and nothing else. */
export interface EvaluationRequest {
  action: ActionDefinition;
  hook: Hook;
  principal: Entity;
  resource: Entity;
  context: Record<string, unknown>;
}

export interface EvaluationError {
  /** The policy that could not be evaluated; null when nothing could. */
  policy: string | null;
  message: string;
}

export interface Evaluation {
  /** Never with an error: Cedar skips a policy that fails, and a skipped forbid would allow. */
  allowed: boolean;
  /** Ids of the policies that decided: the forbids that matched, or else the permits; none of a default deny. */
  determining: string[];
  errors: EvaluationError[];
  /** Set where an oracle was asked the same question and said something else. Nothing is allowed then. */
  disputed?: Dispute;
}

/** Two answers to one question. */
export interface Dispute {
  decided: Evaluation;
  expected: Evaluation;
}

/** Parsed and validated policies by id. What decides is given no text: parsing what people wrote is done elsewhere. */
export type PolicySet = ReadonlyMap<string, PolicyJson>;

/** What decides, request by request, on a set of policies that was validated before. */
export interface Evaluator {
  /** Replaces the set, whole: what is decided from here on is decided by `policies`. */
  load(policies: PolicySet): void;
  decide(request: EvaluationRequest): Evaluation;
}

/** Injection token of what makes an evaluator. */
export const EVALUATORS = Symbol('EVALUATORS');
export type Evaluators = () => Evaluator;
