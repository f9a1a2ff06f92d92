import type { EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { BerthError, type ResourceRef, type Role } from '@berth/contracts';
import { RESOURCE_SHAPES, type Presence } from './resource-types.js';
import { NAMESPACE } from './schema.js';

/** A user as policies see one. */
export interface Subject {
  readonly name: string;
  readonly kind: 'user' | 'service';
  readonly admin: boolean;
  readonly teams: readonly { readonly team: string; readonly role: Role }[];
}

type Attributes = EntityJson['attrs'];

/** The roles that hold a role, itself among them. */
const HOLDERS: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer', 'developer', 'maintainer'],
  developer: ['developer', 'maintainer'],
  maintainer: ['maintainer'],
};

export function holdsRole(held: Role, asked: Role): boolean {
  return HOLDERS[asked].includes(held);
}

export function uid(type: string, id: string): TypeAndId {
  return { type: `${NAMESPACE}::${type}`, id };
}

const reference = (type: string, id: string): Attributes[string] => ({ __entity: uid(type, id) });

function teamsWith(subject: Subject, asked: Role): Attributes[string] {
  return subject.teams
    .filter(({ role }) => holdsRole(role, asked))
    .map(({ team }) => reference('Team', team));
}

export function userEntity(subject: Subject): EntityJson {
  return {
    uid: uid('User', subject.name),
    attrs: {
      name: subject.name,
      kind: subject.kind,
      admin: subject.admin,
      viewerOf: teamsWith(subject, 'viewer'),
      developerOf: teamsWith(subject, 'developer'),
      maintainerOf: teamsWith(subject, 'maintainer'),
    },
    parents: subject.teams.map(({ team }) => uid('Team', team)),
  };
}

function wanted(
  ref: ResourceRef,
  level: 'team' | 'project' | 'environment',
  presence: Presence,
): string | undefined {
  if (presence === 'never') return undefined;
  const value = ref[level];
  if (value === undefined && presence === 'always') {
    throw new BerthError(
      'VALIDATION_FAILED',
      `A resource of type ${ref.type} needs its \`${level}\` to be judged.`,
    );
  }
  return value;
}

/** A resource that is no user, with what it stands in. Throws VALIDATION_FAILED where its type needs more than was told. */
export function resourceEntity(ref: ResourceRef): EntityJson {
  const shape = RESOURCE_SHAPES[ref.type];
  const team = ref.type === 'Team' ? ref.id : wanted(ref, 'team', shape.team);
  const project = wanted(ref, 'project', shape.project);
  const environment = wanted(ref, 'environment', shape.environment);
  const parents = {
    Team: team,
    Project: project,
    Environment: project && environment ? `${project}.${environment}` : undefined,
  };
  return {
    uid: uid(ref.type, ref.id),
    attrs: {
      name: ref.id,
      ...(team === undefined ? {} : { team: reference('Team', team) }),
      ...(project === undefined ? {} : { project }),
      ...(environment === undefined ? {} : { environment }),
    },
    parents: shape.within.flatMap((type) => {
      const id = parents[type];
      return id === undefined ? [] : [uid(type, id)];
    }),
  };
}
