/**
 * Where a repository's content comes from, told by its first segment: `docker.io/library/nginx` is pulled through from
 * an upstream and read-only to clients; `acme/web` is hosted here and belongs to team `acme`.
 */
export type RepositoryName = HostedName | UpstreamName;

export interface HostedName {
  kind: 'hosted';
  /** The whole name as it stands in the path, e.g. `acme/web`. */
  name: string;
  team: string;
}

export interface UpstreamName {
  kind: 'upstream';
  /** The whole name as it stands in the path, e.g. `docker.io/library/nginx`. */
  name: string;
  /** Configured name of the upstream, e.g. `docker.io`. */
  upstream: string;
  /** Name of the repository at the upstream, e.g. `library/nginx`. */
  path: string;
}

export type NameProblem = { code: 'NAME_INVALID' | 'NAME_UNKNOWN'; message: string };

// OCI distribution spec 1.1, "Pulling manifests". It has no room for `..`, empty or hidden segments.
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
// The spec lets clients limit host and name together to 255 characters; docker does.
const LONGEST_NAME = 255;
const OFFICIAL_IMAGES = { upstream: 'docker.io', namespace: 'library' };

/**
 * Whether an upstream may be called so: a host without a port, as a colon cannot stand in a repository name, and with a
 * dot, as a name without one is a team's.
 */
export function isUpstreamName(text: string): boolean {
  return COMPONENT.test(text) && text.includes('.');
}

export function isPathComponent(text: string): boolean {
  return COMPONENT.test(text);
}

/** Reads a name out of a request path, against the names of the configured upstreams. */
export function parseRepositoryName(
  text: string,
  upstreams: ReadonlySet<string>,
): RepositoryName | NameProblem {
  const segments = text.split('/');
  const [first = '', ...rest] = segments;
  if (text.length > LONGEST_NAME || !segments.every((segment) => COMPONENT.test(segment))) {
    return { code: 'NAME_INVALID', message: `"${text.slice(0, 300)}" is not a repository name` };
  }
  if (rest.length === 0) {
    return {
      code: 'NAME_INVALID',
      message: `"${text}" lacks its first part: write <team>/<name>, or <upstream>/<name> such as docker.io/library/nginx`,
    };
  }
  if (upstreams.has(first)) return upstreamName(first, rest);
  if (first.includes('.')) return { code: 'NAME_UNKNOWN', message: unknownUpstream(first, upstreams) };
  return { kind: 'hosted', name: text, team: first };
}

/** Docker Hub keeps its official images under `library/`, and clients may leave that out. */
export function upstreamName(upstream: string, segments: string[]): UpstreamName {
  const official = upstream === OFFICIAL_IMAGES.upstream && segments.length === 1;
  const path = (official ? [OFFICIAL_IMAGES.namespace, ...segments] : segments).join('/');
  return { kind: 'upstream', name: `${upstream}/${path}`, upstream, path };
}

export function unknownUpstream(host: string, upstreams: ReadonlySet<string>): string {
  const known = [...upstreams].sort().join(', ') || 'none';
  return `no upstream "${host}" is configured (configured: ${known})`;
}

export function isNameProblem(result: RepositoryName | NameProblem): result is NameProblem {
  return 'code' in result;
}
