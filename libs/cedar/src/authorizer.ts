import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { Candidates, meets } from './candidates.js';
import { compilePolicy, type CompiledPolicy } from './policy.js';
import type { AuthorizationRequest } from './request.js';
import { type Entity, EvaluationFault, isRecord, type Value } from './values.js';

export interface AuthorizationError {
  /** Null when the request is none. */
  policy: string | null;
  message: string;
}

/** Cedar's answer: its reference, "How Cedar authorization works". */
export interface Authorization {
  /** What Cedar says, which skips policies that err: whoever asks has to look at `errors`. */
  decision: 'allow' | 'deny';
  /** Ids of the forbids that hold; where there are none, of the permits. */
  determining: string[];
  errors: AuthorizationError[];
}

/** Decides by a set of policies, which never changes. */
export class Authorizer {
  private readonly policies: readonly CompiledPolicy[];
  /** By action as requests tell of it: the actions of a catalog are the same objects each time. */
  private readonly byAction = new WeakMap<Entity, Candidates>();

  /** Throws `NotCompilable` where one of them cannot be decided by. */
  constructor(policies: Iterable<readonly [string, PolicyJson]>) {
    this.policies = Array.from(policies, ([id, policy]) => compilePolicy(id, policy));
  }

  decide(request: AuthorizationRequest): Authorization {
    // Half of a surrogate pair is no text, and Cedar reads no such request.
    if (
      !isWellFormed(request.context) ||
      !request.resource.id.isWellFormed() ||
      !request.principal.id.isWellFormed()
    )
      return {
        decision: 'deny',
        determining: [],
        errors: [{ policy: null, message: 'the request holds text that is none' }],
      };
    const permits: string[] = [];
    const forbids: string[] = [];
    const errors: AuthorizationError[] = [];
    this.candidates(request).visit(request, (policy) => {
      try {
        if (policy.holds(request)) (policy.effect === 'permit' ? permits : forbids).push(policy.id);
      } catch (error) {
        errors.push({ policy: policy.id, message: faultMessage(error) });
      }
    });
    const forbidden = forbids.length > 0;
    return {
      decision: !forbidden && permits.length > 0 ? 'allow' : 'deny',
      determining: forbidden ? forbids : permits,
      errors,
    };
  }

  private candidates(request: AuthorizationRequest): Candidates {
    const action = request.entity(request.action);
    const known = action && this.byAction.get(action);
    if (known) return known;
    const candidates = new Candidates(
      this.policies.filter(
        ({ actions }) => actions?.some((narrowing) => meets(narrowing, request.action, request)) ?? true,
      ),
    );
    if (action) this.byAction.set(action, candidates);
    return candidates;
  }
}

function isWellFormed(value: Value): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return (value as readonly Value[]).every(isWellFormed);
  if (typeof value !== 'object' || !isRecord(value)) return true;
  for (const name in value) if (!isWellFormed(value[name])) return false;
  return true;
}

function faultMessage(error: unknown): string {
  if (error instanceof EvaluationFault) return error.message;
  // The stack of a deep expression, say. It is no answer either.
  return `it could not be evaluated: ${String(error)}`;
}
