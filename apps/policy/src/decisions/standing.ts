import type { ActionDefinition, ResourceRef, Role } from '@berth/contracts';
import { holdsRole, type Subject } from '../cedar/entities.js';

/** The role that a permission asks for; null where no role of a team helps. */
const ROLE_FOR: Readonly<Record<ActionDefinition['permission'], Role | null>> = {
  anyone: null,
  self: null,
  view: 'viewer',
  develop: 'developer',
  maintain: 'maintainer',
  administer: null,
};

/**
 * Whether someone may know that a resource exists: admins know all, members what their team owns, everybody themselves and
 * what no team owns (an image of another registry, say). Others are told that there is nothing.
 */
export function mayKnowOf(subject: Subject | null, resource: ResourceRef): boolean {
  if (!subject) return false;
  if (subject.admin) return true;
  const isUser = resource.type === 'User';
  if (isUser && resource.id === subject.name) return true;
  const team = resource.type === 'Team' ? resource.id : resource.team;
  if (team === undefined) return !isUser;
  return subject.teams.some((membership) => membership.team === team);
}

/** What it would take, when no policy permits: in terms of the roles that the starting policies go by. */
export function needed(action: ActionDefinition, resource: ResourceRef, subject: Subject): string {
  const team = resource.type === 'Team' ? resource.id : resource.team;
  const role = ROLE_FOR[action.permission];
  if (role && team !== undefined) {
    const held = subject.teams.find((membership) => membership.team === team)?.role;
    if (held && holdsRole(held, role)) return `No policy permits ${action.name} here.`;
    return `Needs the role "${role}" in team "${team}".`;
  }
  if (action.permission === 'self' && team !== undefined) {
    return `Only "${resource.id}", the maintainers of team "${team}" and platform admins may do this.`;
  }
  if (action.permission === 'self') return `Only "${resource.id}" and platform admins may do this.`;
  if (action.permission === 'anyone') return `No policy permits ${action.name}.`;
  return 'Needs a platform admin.';
}
