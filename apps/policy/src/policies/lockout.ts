import { actions, type ActionDefinition, type Hook } from '@berth/contracts';
import { clockFacts } from '../cedar/clock-facts.js';
import { ClosureEvaluator } from '../cedar/closure-evaluator.js';
import { resourceEntity, userEntity } from '../cedar/entities.js';
import type { EvaluationRequest, PolicySet } from '../cedar/evaluator.js';
import { invalidPolicy } from '../cedar/policy-compiler.js';

/** What an admin must still be able to do with a policy after it was changed: change it back. */
function repairs(admin: string, id: string): EvaluationRequest[] {
  const ask = (
    action: ActionDefinition,
    hook: Hook,
    context: Record<string, unknown>,
  ): EvaluationRequest => ({
    action,
    hook,
    context: { ...context, now: clockFacts(new Date()) },
    principal: userEntity({ name: admin, kind: 'user', admin: true, teams: [] }),
    resource: resourceEntity({ type: 'Policy', id }),
  });
  return [
    ask(actions.policyApply, 'before', { id, effect: 'permit', bindings: [] }),
    ask(actions.policyApply, 'before', { id, effect: 'forbid', bindings: [] }),
    ask(actions.policyApply, 'after', {}),
    ask(actions.policyRemove, 'before', { id }),
    ask(actions.policyRemove, 'after', {}),
  ];
}

/** Throws POLICY_INVALID when, with these policies, no admin could change or remove the policy `id` any more. */
export function refuseLockout(policies: PolicySet, admins: readonly string[], id: string): void {
  const evaluator = new ClosureEvaluator();
  evaluator.load(policies);
  if (admins.some((admin) => repairs(admin, id).every((repair) => evaluator.decide(repair).allowed))) return;
  throw invalidPolicy(id, [
    {
      message:
        'With this change no admin could change or remove it any more, and nobody could undo it. ' +
        'Keep a policy that permits policy.apply and policy.remove to an admin.',
    },
  ]);
}
