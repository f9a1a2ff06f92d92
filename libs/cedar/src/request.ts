import { type CedarRecord, type Entity, type EntityRef, sameRef } from './values.js';

export interface RequestParts {
  principal: EntityRef;
  action: EntityRef;
  resource: EntityRef;
  context: CedarRecord;
  /** Few: each use of one looks through them. */
  entities: readonly Entity[];
}

/** What is asked: whether a principal may do an action to a resource. */
export class AuthorizationRequest implements RequestParts {
  readonly principal: EntityRef;
  readonly action: EntityRef;
  readonly resource: EntityRef;
  readonly context: CedarRecord;
  readonly entities: readonly Entity[];
  private principalRecord: CedarRecord | null | undefined = undefined;
  private resourceRecord: CedarRecord | null | undefined = undefined;

  constructor({ principal, action, resource, context, entities }: RequestParts) {
    this.principal = principal;
    this.action = action;
    this.resource = resource;
    this.context = context;
    this.entities = entities;
  }

  /** Of the principal; null when nothing is told of it. Policies ask for these the most. */
  get principalAttributes(): CedarRecord | null {
    return (this.principalRecord ??= this.entity(this.principal)?.attributes ?? null);
  }

  get resourceAttributes(): CedarRecord | null {
    return (this.resourceRecord ??= this.entity(this.resource)?.attributes ?? null);
  }

  entity(ref: EntityRef): Entity | undefined {
    const { entities } = this;
    for (let index = 0; index < entities.length; index += 1) {
      if (sameRef(entities[index].ref, ref)) return entities[index];
    }
    return undefined;
  }

  /** `left in right`: the same entity, or one that stands below it. */
  isIn(left: EntityRef, right: EntityRef): boolean {
    if (sameRef(left, right)) return true;
    const ancestors = this.entity(left)?.ancestors;
    if (ancestors === undefined) return false;
    for (let index = 0; index < ancestors.length; index += 1) {
      if (sameRef(ancestors[index], right)) return true;
    }
    return false;
  }
}
