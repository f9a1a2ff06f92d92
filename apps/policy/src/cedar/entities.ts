import { EntityRef, type Entity } from '@berth/cedar';
import { BerthError, type ActionDefinition, type Hook, type ResourceRef, type Role } from '@berth/contracts';
import { RESOURCE_SHAPES, type Presence } from './resource-types.js';
import { groupsOf, hookAction, NAMESPACE } from './schema.js';

/** A user as policies see one. */
export interface Subject {
  readonly name: string;
  readonly kind: 'user' | 'service';
  readonly admin: boolean;
  readonly teams: readonly { readonly team: string; readonly role: Role }[];
  /** Whose service account it is. */
  readonly team?: string | null;
}

/** The roles that hold a role, itself among them. */
const HOLDERS: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer', 'developer', 'maintainer'],
  developer: ['developer', 'maintainer'],
  maintainer: ['maintainer'],
};

export function holdsRole(held: Role, asked: Role): boolean {
  return HOLDERS[asked].includes(held);
}

function ref(type: string, id: string): EntityRef {
  return new EntityRef(`${NAMESPACE}::${type}`, id);
}

function teamsWith(subject: Subject, asked: Role): EntityRef[] {
  return subject.teams.filter(({ role }) => holdsRole(role, asked)).map(({ team }) => ref('Team', team));
}

/** Of each hook of each action, once: an evaluator knows them again. */
const hookEntities = new WeakMap<ActionDefinition, Map<Hook, Entity>>();

/** The hook of an action, with the groups that it stands in. */
export function actionEntity(action: ActionDefinition, hook: Hook): Entity {
  let hooks = hookEntities.get(action);
  if (!hooks) hookEntities.set(action, (hooks = new Map<Hook, Entity>()));
  let found = hooks.get(hook);
  if (!found) {
    const ancestors = groupsOf(action).map((group) => ref('Action', group));
    found = { ref: ref('Action', hookAction(action.name, hook)), attributes: {}, ancestors };
    hooks.set(hook, found);
  }
  return found;
}

const userEntities = new WeakMap<Subject, Entity>();

/** Made once of each: who asks is the same from one question to the next. */
export function userEntity(subject: Subject): Entity {
  let found = userEntities.get(subject);
  if (!found) userEntities.set(subject, (found = makeUserEntity(subject)));
  return found;
}

function makeUserEntity(subject: Subject): Entity {
  return {
    ref: ref('User', subject.name),
    attributes: {
      name: subject.name,
      kind: subject.kind,
      admin: subject.admin,
      viewerOf: teamsWith(subject, 'viewer'),
      developerOf: teamsWith(subject, 'developer'),
      maintainerOf: teamsWith(subject, 'maintainer'),
      ...(subject.team ? { team: ref('Team', subject.team) } : {}),
    },
    ancestors: subject.teams.map(({ team }) => ref('Team', team)),
  };
}

function wanted(
  asked: ResourceRef,
  level: 'team' | 'project' | 'environment',
  presence: Presence,
): string | undefined {
  if (presence === 'never') return undefined;
  const value = asked[level];
  if (value === undefined && presence === 'always') {
    throw new BerthError(
      'VALIDATION_FAILED',
      `A resource of type ${asked.type} needs its \`${level}\` to be judged.`,
    );
  }
  return value;
}

/** A resource that is no user, with what it stands in. Throws VALIDATION_FAILED where its type needs more than was told. */
export function resourceEntity(asked: ResourceRef): Entity {
  const shape = RESOURCE_SHAPES[asked.type];
  const team = asked.type === 'Team' ? asked.id : wanted(asked, 'team', shape.team);
  const project = wanted(asked, 'project', shape.project);
  const environment = wanted(asked, 'environment', shape.environment);
  const parents = {
    Team: team,
    Project: project,
    Environment: project && environment ? `${project}.${environment}` : undefined,
  };
  return {
    ref: ref(asked.type, asked.id),
    attributes: {
      name: asked.id,
      ...(team === undefined ? {} : { team: ref('Team', team) }),
      ...(project === undefined ? {} : { project }),
      ...(environment === undefined ? {} : { environment }),
    },
    ancestors: shape.within.flatMap((type) => {
      const id = parents[type];
      return id === undefined ? [] : [ref(type, id)];
    }),
  };
}
