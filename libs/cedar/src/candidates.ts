import type { CompiledPolicy, Narrowing } from './policy.js';
import type { AuthorizationRequest } from './request.js';
import { type EntityRef, sameRef } from './values.js';

/** By entity, without making a text of each. */
class ByEntity<T> {
  private readonly types = new Map<string, Map<string, T>>();

  get({ type, id }: EntityRef): T | undefined {
    return this.types.get(type)?.get(id);
  }

  getOrAdd({ type, id }: EntityRef, make: () => T): T {
    let ids = this.types.get(type);
    if (!ids) this.types.set(type, (ids = new Map<string, T>()));
    let found = ids.get(id);
    if (found === undefined) ids.set(id, (found = make()));
    return found;
  }

  get empty(): boolean {
    return this.types.size === 0;
  }
}

/** A policy with what is left to ask of a request that its place in the index does not answer. */
interface Candidate {
  policy: CompiledPolicy;
  principal: readonly Narrowing[];
  resource: readonly Narrowing[];
}

/** The policies that hold for an action, found by the entities that they are for. */
export class Candidates {
  private readonly byResource = new ByEntity<Candidate[]>();
  private readonly byPrincipal = new ByEntity<Candidate[]>();
  private readonly byResourceType = new Map<string, Candidate[]>();
  private readonly others: Candidate[] = [];

  constructor(policies: Iterable<CompiledPolicy>) {
    for (const policy of policies) this.place(policy);
  }

  /** Each policy that applies, once. */
  visit(request: AuthorizationRequest, seen: (policy: CompiledPolicy) => void): void {
    const { principal, resource } = request;
    visitAll(this.others, request, seen);
    visitAll(this.byResourceType.get(resource.type), request, seen);
    this.visitEntities(this.byResource, resource, request, seen);
    this.visitEntities(this.byPrincipal, principal, request, seen);
  }

  private visitEntities(
    table: ByEntity<Candidate[]>,
    entity: EntityRef,
    request: AuthorizationRequest,
    seen: (policy: CompiledPolicy) => void,
  ): void {
    if (table.empty) return;
    visitAll(table.get(entity), request, seen);
    for (const ancestor of request.entity(entity)?.ancestors ?? []) {
      if (!sameRef(ancestor, entity)) visitAll(table.get(ancestor), request, seen);
    }
  }

  private place(policy: CompiledPolicy): void {
    const resource = policy.resource.find(namesEntity);
    if (resource) {
      const candidate = { policy, principal: policy.principal, resource: without(policy.resource, resource) };
      this.byResource.getOrAdd(resource.entity, () => []).push(candidate);
      return;
    }
    const principal = policy.principal.find(namesEntity);
    if (principal) {
      const candidate = {
        policy,
        principal: without(policy.principal, principal),
        resource: policy.resource,
      };
      this.byPrincipal.getOrAdd(principal.entity, () => []).push(candidate);
      return;
    }
    const [type] = policy.resource;
    if (type?.kind === 'is') {
      const candidate = { policy, principal: policy.principal, resource: policy.resource.slice(1) };
      const found = this.byResourceType.get(type.type);
      if (found) found.push(candidate);
      else this.byResourceType.set(type.type, [candidate]);
      return;
    }
    this.others.push({ policy, principal: policy.principal, resource: policy.resource });
  }
}

function namesEntity(narrowing: Narrowing): narrowing is Exclude<Narrowing, { kind: 'is' }> {
  return narrowing.kind !== 'is';
}

/** `==` stays: the index finds what is `in` an entity, and an entity is in itself. */
function without(narrowings: readonly Narrowing[], placed: Narrowing): Narrowing[] {
  return narrowings.filter((narrowing) => narrowing !== placed || narrowing.kind === 'equals');
}

function visitAll(
  candidates: readonly Candidate[] | undefined,
  request: AuthorizationRequest,
  seen: (policy: CompiledPolicy) => void,
): void {
  if (candidates === undefined) return;
  for (let index = 0; index < candidates.length; index += 1) {
    const { policy, principal, resource } = candidates[index];
    if (principal.length > 0 && !meetsAll(principal, request.principal, request)) continue;
    if (resource.length > 0 && !meetsAll(resource, request.resource, request)) continue;
    seen(policy);
  }
}

function meetsAll(
  narrowings: readonly Narrowing[],
  entity: EntityRef,
  request: AuthorizationRequest,
): boolean {
  for (let index = 0; index < narrowings.length; index += 1) {
    if (!meets(narrowings[index], entity, request)) return false;
  }
  return true;
}

export function meets(narrowing: Narrowing, entity: EntityRef, request: AuthorizationRequest): boolean {
  if (narrowing.kind === 'is') return entity.type === narrowing.type;
  if (narrowing.kind === 'equals') return sameRef(entity, narrowing.entity);
  return request.isIn(entity, narrowing.entity);
}
