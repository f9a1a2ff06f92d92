import { actions, type ActionDefinition } from '@berth/contracts';

/** What a token is for, in the words of the Docker token flow (distribution.github.io/distribution/spec/auth/scope). */
export type RepositoryRight = 'pull' | 'push' | 'delete';

const RIGHTS: readonly RepositoryRight[] = ['pull', 'push', 'delete'];
const RIGHT_OF = new Map<string, RepositoryRight>([
  [actions.imagePull.name, 'pull'],
  [actions.imageList.name, 'pull'],
  [actions.imagePush.name, 'push'],
  [actions.imageDelete.name, 'delete'],
]);
/** A push that mounts layers asks for a few repositories at once. */
const MOST_SCOPES = 16;
const SCOPE = /^repository(?:\([a-z0-9]+\))?:([a-z0-9][a-z0-9._/-]{0,254}):([a-z*,]+)$/;

/** What a client may ask of which repositories with its token; policy is asked about each request all the same. */
export class Access {
  constructor(readonly rights: ReadonlyMap<string, readonly RepositoryRight[]>) {}

  /** `repository:acme/web:pull,push`, several of them by spaces or by parameters; what is none of ours is left out, as the flow has it. `nameOf`: a repository as this registry calls it. */
  static ofScopes(scopes: readonly string[], nameOf = (asked: string): string => asked): Access {
    const rights = new Map<string, readonly RepositoryRight[]>();
    for (const scope of scopes.flatMap((text) => text.split(' ')).slice(0, MOST_SCOPES)) {
      const [, called, asked = ''] = SCOPE.exec(scope) ?? [];
      if (called === undefined) continue;
      const repository = nameOf(called);
      const named = asked.split(',');
      const known = RIGHTS.filter((right) => named.includes(right) || named.includes('*'));
      rights.set(repository, [...new Set([...(rights.get(repository) ?? []), ...known])]);
    }
    return new Access(rights);
  }

  /** As much of it as only reads. */
  reading(): Access {
    const pulls = [...this.rights].filter(([, rights]) => rights.includes('pull'));
    return new Access(new Map(pulls.map(([repository]) => [repository, ['pull']] as const)));
  }

  allows(repository: string, action: Pick<ActionDefinition, 'name'>): boolean {
    const right = RIGHT_OF.get(action.name);
    return right !== undefined && (this.rights.get(repository)?.includes(right) ?? false);
  }
}

/** The scope that an action on a repository takes; a push reads what is there already. */
export function scopeFor(repository: string, action: Pick<ActionDefinition, 'name'>): string {
  const right = RIGHT_OF.get(action.name) ?? 'pull';
  return `repository:${repository}:${right === 'push' ? 'pull,push' : right}`;
}
