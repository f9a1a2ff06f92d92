import { type CedarRecord, type Entity, type EntityRef, sameRef } from './values.js';

/** What is asked: whether a principal may do an action to a resource. */
export class AuthorizationRequest {
  constructor(
    readonly principal: EntityRef,
    readonly action: EntityRef,
    readonly resource: EntityRef,
    readonly context: CedarRecord,
    /** Few: each use of one looks through them. */
    readonly entities: readonly Entity[],
  ) {}

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
