import type { ActionConstraint } from '@cedar-policy/cedar-wasm/nodejs';
import { catalog, type ActionDefinition, type Hook } from '@berth/contracts';
import type { MessageTemplate } from './message-template.js';
import { RESOURCE_SHAPES } from './resource-types.js';
import { groupsOf, hookAction } from './schema.js';
import { positionAt, type TextProblem } from './text-position.js';

const OF_PRINCIPALS = ['name', 'kind', 'admin', 'viewerOf', 'developerOf', 'maintainerOf'];

/** The placeholders of a message that no decision by this policy has a value for, with where they stand in its text. */
export function unknownPlaceholders(
  text: string,
  message: MessageTemplate,
  scope: ActionConstraint,
): TextProblem[] {
  if (message.placeholders.size === 0) return [];
  const known = knownPlaceholders(scope);
  return [...message.placeholders]
    .filter((name) => !known.has(name))
    .map((name) => ({
      message: `The message speaks of {${name}}, and no action that this policy is for has that. There are: ${[...known].sort().join(', ')}`,
      ...positionAt(text, text.indexOf(`{${name}}`)),
    }));
}

function knownPlaceholders(scope: ActionConstraint): Set<string> {
  const known = new Set(['action', ...OF_PRINCIPALS.map((name) => `principal.${name}`), 'resource.name']);
  for (const definition of catalog.values()) {
    for (const hook of definition.hooks) {
      if (!isFor(scope, definition, hook)) continue;
      const facts = hook === 'before' ? definition.context : definition.outcome;
      for (const name of Object.keys(facts.shape)) known.add(`context.${name}`);
      for (const type of definition.resource) {
        for (const level of ['team', 'project', 'environment'] as const) {
          if (RESOURCE_SHAPES[type][level] !== 'never') known.add(`resource.${level}`);
        }
      }
    }
  }
  return known;
}

/** Whether a policy with this scope can be asked about a hook. */
function isFor(scope: ActionConstraint, definition: ActionDefinition, hook: Hook): boolean {
  if (scope.op === 'All') return true;
  const uids = 'entities' in scope ? scope.entities : 'entity' in scope ? [scope.entity] : [];
  const names = new Set([
    hookAction(definition.name, hook),
    ...(scope.op === 'in' ? groupsOf(definition) : []),
  ]);
  return uids.some((uid) => names.has('__entity' in uid ? uid.__entity.id : uid.id));
}
