import type { z } from 'zod';
import type { ServiceName } from '../names.js';
import type { Dimension } from '../quotas.js';
import type { Hook, ResourceType } from '../policies.js';

/**
 * Who may do it under the starting policies. `self`: the user that the resource is; `anyone`: whoever has a token;
 * `view`, `develop`, `maintain`: the roles of the team that owns the resource; `administer`: platform admins.
 */
export type Permission = 'anyone' | 'self' | 'view' | 'develop' | 'maintain' | 'administer';

/**
 * How much of it the audit log keeps. `change`: a record in the transaction of the change. `read`: a record that may
 * follow in a batch within a second.
 */
export type RecordKind = 'change' | 'read';

export interface ActionDefinition<
  Context extends z.ZodObject = z.ZodObject,
  Outcome extends z.ZodObject = z.ZodObject,
> {
  readonly name: string;
  readonly summary: string;
  readonly owner: ServiceName;
  readonly resource: readonly ResourceType[];
  readonly permission: Permission;
  readonly hooks: readonly Hook[];
  /** The facts that `before` judges: strings, booleans, integers, sets and records of these (Cedar's types). */
  readonly context: Context;
  /** The facts that `after` judges: the outcome as inspected. */
  readonly outcome: Outcome;
  readonly consumes: readonly Dimension[];
  readonly record: RecordKind;
}

export const catalog = new Map<string, ActionDefinition>();

/** Adds an action to the catalog; its name is `<family>.<verb>`, and unique. */
export function defineAction<Context extends z.ZodObject, Outcome extends z.ZodObject>(
  definition: ActionDefinition<Context, Outcome>,
): ActionDefinition<Context, Outcome> {
  if (catalog.has(definition.name)) throw new Error(`action ${definition.name} is defined twice`);
  catalog.set(definition.name, definition as unknown as ActionDefinition);
  return definition;
}
