import {
  BerthError,
  catalog,
  type PolicyCase,
  type ResourceRef,
  type ResourceType,
  PLATFORM,
} from '@berth/contracts';
import type { Question } from '../decisions/verdict.js';
import { completeFacts } from './neutral-facts.js';

/** The question that a case asks. Throws VALIDATION_FAILED, with the name of the case, where nobody could ask it. */
export function questionOf(asked: PolicyCase): Question {
  const { name, hook, principal, context } = asked;
  const where = `The case "${name}"`;
  const action = catalog.get(asked.action);
  if (!action) throw new BerthError('VALIDATION_FAILED', `${where}: there is no action "${asked.action}".`);
  if (!action.hooks.includes(hook)) {
    throw new BerthError('VALIDATION_FAILED', `${where}: ${action.name} has no hook "${hook}".`);
  }
  const type = asked.resource.type ?? action.resource[0];
  if (!action.resource.includes(type)) {
    throw new BerthError('VALIDATION_FAILED', `${where}: ${action.name} is not done to a ${type}.`);
  }
  const teams = Object.entries(principal.teams).map(([team, role]) => ({ team, role }));
  const { kind, admin } = principal;
  return {
    ...{ action, hook, target: null, resource: resourceOf(type, asked.resource, principal.name) },
    asker: { name: principal.name, token: 'none', subject: { name: principal.name, kind, admin, teams } },
    context: completeFacts(hook === 'before' ? action.context : action.outcome, context, where),
    time: asked.time === undefined ? new Date() : new Date(asked.time),
  };
}

function resourceOf(
  type: ResourceType,
  { id, team, project, environment }: PolicyCase['resource'],
  asker: string,
): ResourceRef {
  const place = { team, project, environment };
  switch (type) {
    case 'Platform':
      return PLATFORM;
    case 'Team':
      return { type, id: id ?? team, team };
    case 'Project':
      return { type, id: id ?? project, team, project };
    case 'Environment':
      return { type, id: id ?? `${project}.${environment}`, ...place };
    case 'Service':
    case 'Deployment':
      return { type, id: id ?? `${project}.${environment}.web`, ...place };
    case 'User':
      return { type, id: id ?? asker };
    case 'Image':
      return { type, id: id ?? `${team}/web`, team };
    default:
      return { type, id: id ?? 'some', team };
  }
}
