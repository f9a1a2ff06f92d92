import { BerthError, Name, teamResource, type QuotaScope, type ResourceRef } from '@berth/contracts';

/** Whose quota it is, as callers name it. */
export interface QuotaKey {
  scope: QuotaScope;
  /** Of the team, user or project; `project.env` for an environment. */
  name: string;
  /** The owner of a project or an environment. */
  team?: string;
}

/**
 * The resource that policy judges for a quota. Throws VALIDATION_FAILED for a name that such a scope cannot have, and for a
 * project or environment without its team: policy could not tell whose it is.
 */
export function quotaResource({ scope, name, team }: QuotaKey): ResourceRef {
  if (scope === 'teams') {
    requireNames(name);
    return teamResource(name);
  }
  if (scope === 'users') {
    requireNames(name);
    return { type: 'User', id: name };
  }
  if (team === undefined) throw invalid('team', 'must name the owner of the project');
  if (scope === 'projects') {
    requireNames(name);
    return { type: 'Project', id: name, team, project: name };
  }
  const [project, environment, ...rest] = name.split('.');
  if (environment === undefined || rest.length > 0)
    throw invalid('name', 'must be "<project>.<environment>"');
  requireNames(project, environment);
  return { type: 'Environment', id: name, team, project, environment };
}

/** Throws VALIDATION_FAILED: an image belongs to a team, not to a part of it. */
export function requireTeamForStorage(scope: QuotaScope): void {
  if (scope !== 'teams') throw invalid('limits.storage', 'is a limit of teams only: images belong to a team');
}

function requireNames(...names: string[]): void {
  for (const name of names) {
    const parsed = Name.safeParse(name);
    if (!parsed.success) throw invalid('name', parsed.error.issues[0].message);
  }
}

function invalid(path: string, message: string): BerthError {
  return new BerthError('VALIDATION_FAILED', `The quota is not well named. ${path}: ${message}`, {
    fields: [{ path, message }],
  });
}
