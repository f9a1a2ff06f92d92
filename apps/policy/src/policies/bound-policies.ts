import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import {
  ANONYMOUS,
  type AdviceMode,
  type PolicyBinding,
  type PolicyMode,
  type PolicyScope,
} from '@berth/contracts';
import type { PolicySet } from '../cedar/evaluator.js';
import type { CompiledPolicy } from '../cedar/policy-compiler.js';
import { NAMESPACE } from '../cedar/schema.js';

/** Where a new policy holds unless its author says otherwise: everywhere, and it denies. */
export const EVERYWHERE: readonly PolicyBinding[] = [{ scope: 'platform', mode: 'deny' }];

/** Compiled policies with what says where each of them holds. */
export interface PolicyPlaces {
  policies: ReadonlyMap<string, CompiledPolicy>;
  bindings: ReadonlyMap<string, readonly PolicyBinding[]>;
  exceptions: readonly { policy: string; scope: PolicyScope }[];
}

export interface BoundMember {
  policy: string;
  scope: PolicyScope;
  mode: PolicyMode | AdviceMode;
  /** Whether it permits by name to who shows no token. */
  namesAnonymous?: boolean;
}

/** The policies as evaluators take them, once for each binding. */
export interface BoundPolicies {
  /** What decides. */
  enforced: PolicySet;
  /** Apart from it, as nothing in it may change a decision: the forbids that are to tell only. A permit has nothing to tell. */
  advisory: PolicySet;
  /** What the ids in these sets stand for. */
  members: ReadonlyMap<string, BoundMember>;
}

export function bindPolicies({ policies, bindings, exceptions }: PolicyPlaces): BoundPolicies {
  const sets = { deny: new Map<string, PolicyJson>(), tell: new Map<string, PolicyJson>() };
  const members = new Map<string, BoundMember>();
  const add = (member: BoundMember, at: string, json: PolicyJson): void => {
    const id = `${member.policy}@${at}`;
    (member.mode === 'deny' ? sets.deny : sets.tell).set(id, json);
    members.set(id, member);
  };
  for (const { id: policy, effect, json } of policies.values()) {
    const excepted =
      effect === 'forbid' ? exceptions.filter((one) => one.policy === policy).map((one) => one.scope) : [];
    for (const { scope, mode } of bindings.get(policy) ?? []) {
      if (mode !== 'deny' && effect === 'permit') continue;
      const namesAnonymous = effect === 'permit' && isAnonymous(json.principal);
      add({ policy, scope, mode, namesAnonymous }, scope, limited(json, { to: [scope], except: excepted }));
      if (mode !== 'deny') continue;
      for (const part of excepted) {
        add(
          { policy, scope: part, mode: 'excepted' },
          `${scope}!${part}`,
          limited(json, { to: [scope, part] }),
        );
      }
    }
  }
  return { enforced: sets.deny, advisory: sets.tell, members };
}

/** By policy and scopes: what is bound as it was is the same object, by which evaluators know that it has not changed. */
const limitedBefore = new WeakMap<PolicyJson, Map<string, PolicyJson>>();

interface Limits {
  to: readonly PolicyScope[];
  except?: readonly PolicyScope[];
}

function limited(policy: PolicyJson, limits: Limits): PolicyJson {
  const known = limitedBefore.get(policy) ?? new Map<string, PolicyJson>();
  limitedBefore.set(policy, known);
  const key = JSON.stringify(limits);
  const found = known.get(key) ?? limit(policy, limits);
  known.set(key, found);
  return found;
}

/**
 * The policy, for resources of all these scopes and of none of the exceptions. These are conditions before all others, and can only
 * take away from what the policy says: forbids of an inner scope add to those of the outer ones, and no permit of it overrules them.
 */
function limit(policy: PolicyJson, { to, except = [] }: Limits): PolicyJson {
  const narrowing = to.filter((scope) => scope !== 'platform').map((scope) => condition('when', scope));
  const excepting = except.map((scope) => condition('unless', scope));
  return { ...policy, conditions: [...narrowing, ...excepting, ...policy.conditions] };
}

function condition(kind: 'when' | 'unless', scope: PolicyScope): PolicyJson['conditions'][number] {
  const right = { Value: { __entity: scopeEntity(scope) } };
  return { kind, body: { in: { left: { Var: 'resource' }, right } } };
}

const TYPES: Readonly<Record<string, string>> = {
  teams: 'Team',
  projects: 'Project',
  environments: 'Environment',
};

function scopeEntity(scope: PolicyScope): { type: string; id: string } {
  const [kind, id] = scope.split('/');
  return { type: `${NAMESPACE}::${TYPES[kind]}`, id };
}

function isAnonymous(scope: PolicyJson['principal']): boolean {
  if (scope.op !== '==' || !('entity' in scope)) return false;
  const { type, id } = '__entity' in scope.entity ? scope.entity.__entity : scope.entity;
  return type === `${NAMESPACE}::User` && id === ANONYMOUS;
}
