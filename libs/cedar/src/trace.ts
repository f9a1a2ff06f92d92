import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { meets } from './candidates.js';
import { compileExpression } from './expressions.js';
import { actionScope, conjunctsOf, entityScope, type Narrowing } from './policy.js';
import type { AuthorizationRequest } from './request.js';
import type { EntityRef } from './values.js';

export interface TracedCondition {
  /** An expression, in Cedar's JSON form: one of those that `&&` joins. */
  body: unknown;
  outcome: 'holds' | 'fails' | 'errs';
  error: string | null;
}

/** How a policy came to what it said of a request. */
export interface Trace {
  holds: boolean;
  /** In order, up to the first that does not hold. */
  conditions: TracedCondition[];
  /** Conditions behind that one. */
  left: number;
}

/** Null for a request that the scope of the policy leaves out. Slow: for those who ask why, and not for decisions. */
export function tracePolicy(policy: PolicyJson, request: AuthorizationRequest): Trace | null {
  const all = (narrowings: readonly Narrowing[], entity: EntityRef): boolean =>
    narrowings.every((narrowing) => meets(narrowing, entity, request));
  const actions = actionScope(policy.action);
  if (!all(entityScope(policy.principal), request.principal)) return null;
  if (!all(entityScope(policy.resource), request.resource)) return null;
  if (actions && !actions.some((narrowing) => meets(narrowing, request.action, request))) return null;
  const bodies = policy.conditions.flatMap(conjunctsOf);
  const conditions: TracedCondition[] = [];
  for (const body of bodies) {
    const traced = traceCondition(body, request);
    conditions.push(traced);
    if (traced.outcome !== 'holds') break;
  }
  const holds = conditions.every(({ outcome }) => outcome === 'holds');
  return { holds, conditions, left: bodies.length - conditions.length };
}

function traceCondition(body: unknown, request: AuthorizationRequest): TracedCondition {
  try {
    const value = compileExpression(body)(request);
    if (typeof value === 'boolean') return { body, outcome: value ? 'holds' : 'fails', error: null };
    return { body, outcome: 'errs', error: 'type error: a condition is no boolean' };
  } catch (error) {
    return { body, outcome: 'errs', error: error instanceof Error ? error.message : String(error) };
  }
}
