import type { HookQuestion, PolicyScope, ResourceRef } from '@berth/contracts';

/** A hook as decisions need it. */
export interface LiveHook {
  name: string;
  url: string | null;
  on: readonly string[];
  scope: PolicyScope;
  timeoutMs: number;
  onFailure: 'deny' | 'ignore';
  secretId: string | null;
}

/**
 * Whether it is asked about this. Never about what is done to policies and hooks themselves: one that is broken could not be
 * removed any more.
 */
export function isAsked({ on, scope }: LiveHook, { action, hook, resource }: HookQuestion): boolean {
  if (action.startsWith('policy.') || action.startsWith('hook.')) return false;
  return (on.includes(action) || on.includes(`${action}.${hook}`)) && covers(scope, resource);
}

function covers(scope: PolicyScope, { type, id, team, project, environment }: ResourceRef): boolean {
  const [kind, name] = scope.split('/');
  if (kind === 'teams') return team === name || (type === 'Team' && id === name);
  if (kind === 'projects') return project === name;
  if (kind === 'environments') return `${project}.${environment}` === name;
  return true;
}
