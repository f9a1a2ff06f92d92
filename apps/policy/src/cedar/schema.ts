import type { ActionType, EntityType, SchemaJson, TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs';
import {
  catalog,
  type ActionDefinition,
  type Hook,
  type Permission,
  type ResourceType,
} from '@berth/contracts';
import { CLOCK_TYPE } from './clock-facts.js';
import { recordShape } from './facts-type.js';
import { RESOURCE_SHAPES, type Presence } from './resource-types.js';

export const NAMESPACE = 'Berth';

/** The groups that starting policies speak of: who may do an action. */
export const PERMISSIONS: readonly Permission[] = [
  'anyone',
  'self',
  'view',
  'develop',
  'maintain',
  'administer',
];

const string: TypeOfAttribute<string> = { type: 'String' };
const teams: TypeOfAttribute<string> = { type: 'Set', element: { type: 'Entity', name: 'Team' } };

function optionally(
  name: string,
  presence: Presence,
  type: TypeOfAttribute<string>,
): Record<string, TypeOfAttribute<string>> {
  if (presence === 'never') return {};
  return { [name]: presence === 'always' ? type : { ...type, required: false } };
}

function resourceType(type: ResourceType): EntityType<string> {
  const shape = RESOURCE_SHAPES[type];
  return {
    memberOfTypes: [...shape.within],
    shape: {
      type: 'Record',
      attributes: {
        name: string,
        ...optionally('team', shape.team, { type: 'Entity', name: 'Team' }),
        ...optionally('project', shape.project, string),
        ...optionally('environment', shape.environment, string),
      },
    },
  };
}

/**
 * Each role holds the ones below it: a maintainer's team is in all three sets. `in` a team is any member of it. `team` is whose
 * service account it is.
 */
const user: EntityType<string> = {
  memberOfTypes: ['Team'],
  shape: {
    type: 'Record',
    attributes: {
      name: string,
      kind: string,
      admin: { type: 'Boolean' },
      viewerOf: teams,
      developerOf: teams,
      maintainerOf: teams,
      team: { type: 'Entity', name: 'Team', required: false },
    },
  },
};

/** The name of the Cedar action that a hook of an action is. */
export function hookAction(action: string, hook: Hook): string {
  return `${action}.${hook}`;
}

/** The groups that a hook of an action stands in. */
export function groupsOf(action: ActionDefinition): readonly string[] {
  return [action.name, action.permission];
}

function hooksOf(action: ActionDefinition): Record<string, ActionType<string>> {
  const hooks: Record<string, ActionType<string>> = {};
  for (const hook of action.hooks) {
    const facts = hook === 'before' ? action.context : action.outcome;
    hooks[hookAction(action.name, hook)] = {
      memberOf: groupsOf(action).map((id) => ({ id })),
      appliesTo: {
        principalTypes: ['User'],
        resourceTypes: [...action.resource],
        context: {
          type: 'Record',
          attributes: { ...recordShape(facts, hookAction(action.name, hook)), now: CLOCK_TYPE },
        },
      },
    };
  }
  return hooks;
}

/**
 * The Cedar schema (JSON form) of all that policies can speak of. Per action of the catalog: a group of its name, and in
 * it one Cedar action per hook, e.g. `Berth::Action::"deployment.create.before"`, whose context are the facts of that hook.
 */
export function cedarSchema(definitions: Iterable<ActionDefinition> = catalog.values()): SchemaJson<string> {
  const actions: Record<string, ActionType<string>> = {};
  for (const permission of PERMISSIONS) actions[permission] = { memberOf: [] };
  for (const definition of definitions) {
    actions[definition.name] = { memberOf: [] };
    Object.assign(actions, hooksOf(definition));
  }
  const entityTypes: Record<string, EntityType<string>> = {};
  for (const type of Object.keys(RESOURCE_SHAPES) as ResourceType[]) {
    entityTypes[type] = type === 'User' ? user : resourceType(type);
  }
  return { [NAMESPACE]: { entityTypes, actions } };
}
