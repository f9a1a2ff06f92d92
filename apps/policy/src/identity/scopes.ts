import { catalog, type ActionDefinition } from '@berth/contracts';

function familyOf(action: string): string {
  return `${action.split('.')[0]}.*`;
}

/** Whether a token with these scopes may be used for an action. `read` covers whatever only looks. */
export function coversAction(
  scopes: readonly string[],
  action: Pick<ActionDefinition, 'name' | 'record'>,
): boolean {
  return (
    scopes.includes('*') ||
    scopes.includes(action.name) ||
    scopes.includes(familyOf(action.name)) ||
    (action.record === 'read' && scopes.includes('read'))
  );
}

/** Those that cover nothing, as no action has such a name. */
export function unknownScopes(scopes: readonly string[]): string[] {
  const known = new Set(['*', 'read', ...catalog.keys(), ...[...catalog.keys()].map(familyOf)]);
  return scopes.filter((scope) => !known.has(scope));
}

/** Those of the asked scopes that reach further than the held ones: nobody hands on more than they hold. */
export function widerThan(asked: readonly string[], held: readonly string[]): string[] {
  return asked.filter((scope) => {
    if (scope === '*' || scope === 'read') return !held.includes('*') && !held.includes(scope);
    if (scope.endsWith('.*')) return !held.includes('*') && !held.includes(scope);
    return !coversAction(held, catalog.get(scope) ?? { name: scope, record: 'change' });
  });
}

/** What a person is told of an action that their token does not cover. */
export function scopeMessage(
  action: Pick<ActionDefinition, 'name' | 'record'>,
  held: readonly string[],
): string {
  const enough = [action.name, familyOf(action.name), ...(action.record === 'read' ? ['read'] : []), '*'];
  const quoted = (scopes: readonly string[]): string => scopes.map((scope) => `"${scope}"`).join(', ');
  return `Needs a token with one of the scopes ${quoted(enough)}; this one has ${quoted(held)}.`;
}
