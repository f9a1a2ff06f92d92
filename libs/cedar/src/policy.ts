import type {
  ActionConstraint,
  Clause,
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';
import { compileExpression, type Evaluate, literal } from './expressions.js';
import { NotCompilable } from './not-compilable.js';
import type { AuthorizationRequest } from './request.js';
import { EntityRef, fault } from './values.js';

/** Which entities a scope, or a condition that says no more than one, lets a policy apply to. */
export type Narrowing =
  { kind: 'is'; type: string } | { kind: 'equals'; entity: EntityRef } | { kind: 'in'; entity: EntityRef };

export interface CompiledPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  /** Of these at least one has to hold: for `action in [a, b]` there are several. Null: for any action. */
  readonly actions: readonly Narrowing[] | null;
  /** All of these hold wherever the policy does, and none of them can fail. */
  readonly principal: readonly Narrowing[];
  readonly resource: readonly Narrowing[];
  /** What is left to ask where all of those hold. Throws `EvaluationFault` where Cedar errs. */
  readonly holds: (request: AuthorizationRequest) => boolean;
}

/** Compiles a policy. Throws `NotCompilable` for what this evaluator would not decide as Cedar does. */
export function compilePolicy(id: string, policy: PolicyJson): CompiledPolicy {
  const { effect, conditions } = policy;
  if (effect !== 'permit' && effect !== 'forbid') throw new NotCompilable(`"${String(effect)}" is no effect`);
  const principal = entityScope(policy.principal);
  const resource = entityScope(policy.resource);
  const conjuncts = conditions.flatMap(conjunctsOf);
  const rest = conjuncts.findIndex((conjunct) => {
    const narrowing = narrowingOf(conjunct);
    if (narrowing) (narrowing.variable === 'principal' ? principal : resource).push(narrowing);
    return !narrowing;
  });
  const asked = rest < 0 ? [] : conjuncts.slice(rest).map(compileExpression);
  return { id, effect, actions: actionScope(policy.action), principal, resource, holds: all(asked) };
}

function all(conditions: readonly Evaluate[]): CompiledPolicy['holds'] {
  const [first, second] = conditions;
  if (!first) return () => true;
  if (!second) return (request) => truth(first(request));
  return (request) => {
    for (let index = 0; index < conditions.length; index += 1) {
      if (!truth(conditions[index](request))) return false;
    }
    return true;
  };
}

function truth(value: unknown): boolean {
  return typeof value === 'boolean' ? value : fault('type error: a condition is no boolean');
}

/** `when { a && b }` asks what `when { a } when { b }` asks, in the same order. */
export function conjunctsOf({ kind, body }: Clause): unknown[] {
  if (kind === 'unless') return [{ '!': { arg: body } }];
  if (kind !== 'when') throw new NotCompilable(`"${String(kind)}" is no condition`);
  const conjuncts: unknown[] = [];
  const waiting: unknown[] = [body];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const and = (next as { '&&'?: { left: unknown; right: unknown } })['&&'];
    if (and) waiting.push(and.right, and.left);
    else conjuncts.push(next);
  }
  return conjuncts;
}

export function entityScope(scope: PrincipalConstraint | ResourceConstraint): Narrowing[] {
  switch (scope.op) {
    case 'All':
      return [];
    case '==':
      return [{ kind: 'equals', entity: entityOf(scope) }];
    case 'in':
      return [{ kind: 'in', entity: entityOf(scope) }];
    case 'is':
      return [
        { kind: 'is', type: scope.entity_type },
        ...(scope.in ? [{ kind: 'in', entity: entityOf(scope.in) } as const] : []),
      ];
    default:
      throw new NotCompilable(`${JSON.stringify(scope)} is no scope`);
  }
}

export function actionScope(scope: ActionConstraint): CompiledPolicy['actions'] {
  if (scope.op === 'in' && 'entities' in scope) {
    return scope.entities.map((entity) => ({ kind: 'in', entity: entityOf({ entity }) }));
  }
  const narrowings = entityScope(scope);
  return narrowings.length === 0 ? null : narrowings;
}

function entityOf(constraint: { entity: EntityUidJson } | { slot: string }): EntityRef {
  if ('slot' in constraint) throw new NotCompilable('a template holds for nobody');
  const { entity } = constraint;
  const { type, id } = '__entity' in entity ? entity.__entity : entity;
  return new EntityRef(type, id);
}

/** What a conjunct says, where it only says which principal or resource it is: `resource in Berth::Project::"shop"`, say. */
function narrowingOf(conjunct: unknown): (Narrowing & { variable: 'principal' | 'resource' }) | null {
  const [[name, operands]] = Object.entries(conjunct as Record<string, Record<string, unknown>>);
  const variable = (operands?.left as { Var?: unknown } | undefined)?.Var;
  if (variable !== 'principal' && variable !== 'resource') return null;
  if (name === 'is' && operands.in === undefined)
    return { kind: 'is', type: operands.entity_type as string, variable };
  if (name !== '==' && name !== 'in') return null;
  const value = (operands.right as { Value?: { __entity?: unknown } } | undefined)?.Value;
  if (typeof value !== 'object' || value === null || !value.__entity) return null;
  const entity = literal(value);
  if (!(entity instanceof EntityRef)) return null;
  return { kind: name === 'in' ? 'in' : 'equals', entity, variable };
}
