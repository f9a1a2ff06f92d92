import { algorithmOf, isDigest, type Digest } from './digest.js';
import { isPathComponent, unknownUpstream, upstreamName, type RepositoryName } from './repository-name.js';
import { isTag } from './tag.js';

/** An image as people write it in Compose files and on command lines, read the way docker reads it. */
export interface ImageReference {
  repository: RepositoryName;
  /** `latest` when neither tag nor digest is written; null when only a digest is. */
  tag: string | null;
  digest: Digest | null;
}

export type ReferenceProblem = {
  code: 'REFERENCE_INVALID' | 'DIGEST_INVALID' | 'UPSTREAM_UNKNOWN';
  message: string;
};

/** What the parser must know of this installation. */
export interface ReferenceContext {
  /** `host:port` forms under which this registry is known. */
  ownHosts: ReadonlySet<string>;
  /** Host as written in a reference -> configured upstream name. */
  upstreamByHost: ReadonlyMap<string, string>;
}

const HUB = 'docker.io';
const HUB_ALIASES = new Set(['index.docker.io', 'registry-1.docker.io', HUB]);

/**
 * Reads a reference: `nginx` is `docker.io/library/nginx:latest`; a first segment with a dot, a colon, or `localhost` is
 * a host (the rule of github.com/distribution/reference); this registry's own host means a repository here.
 */
export function parseImageReference(
  text: string,
  context: ReferenceContext,
): ImageReference | ReferenceProblem {
  const invalid = (why: string): ReferenceProblem => ({
    code: 'REFERENCE_INVALID',
    message: `"${text.slice(0, 300)}" is not an image reference: ${why}`,
  });
  const at = text.indexOf('@');
  const digestText = at < 0 ? null : text.slice(at + 1);
  // What is launched is pinned by SHA-256, in all of the platform.
  if (digestText !== null && !(isDigest(digestText) && algorithmOf(digestText) === 'sha256')) {
    return {
      code: 'DIGEST_INVALID',
      message: `"${digestText.slice(0, 200)}" is not a digest: sha256: and 64 hex digits`,
    };
  }
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : null;
  if (tag !== null && !isTag(tag)) return invalid(`"${tag.slice(0, 200)}" is no tag`);

  const segments = (hasTag ? named.slice(0, colon) : named).split('/');
  const host = segments.length > 1 && isHost(segments[0]!) ? segments.shift()! : HUB;
  const bad = segments.find((segment) => !isPathComponent(segment));
  if (bad !== undefined) {
    return invalid(
      bad === '' ? 'a part of the name is empty' : `"${bad}" may hold only a-z, 0-9 and . _ - between them`,
    );
  }

  const repository = locate(host, segments, context);
  if ('code' in repository) return repository;
  return { repository, tag: tag ?? (digestText === null ? 'latest' : null), digest: digestText };
}

function locate(
  host: string,
  segments: string[],
  context: ReferenceContext,
): RepositoryName | ReferenceProblem {
  const upstreams = new Set(context.upstreamByHost.values());
  if (context.ownHosts.has(host)) {
    const [first = '', ...rest] = segments;
    if (rest.length === 0) {
      return {
        code: 'REFERENCE_INVALID',
        message: `an image of this registry is ${host}/<team>/<name>; "${first}" lacks the team`,
      };
    }
    if (upstreams.has(first)) return upstreamName(first, rest);
    return { kind: 'hosted', name: segments.join('/'), team: first };
  }
  const upstream = context.upstreamByHost.get(HUB_ALIASES.has(host) ? HUB : host);
  if (upstream === undefined) return { code: 'UPSTREAM_UNKNOWN', message: unknownUpstream(host, upstreams) };
  return upstreamName(upstream, segments);
}

function isHost(segment: string): boolean {
  return /[.:]/.test(segment) || segment === 'localhost' || segment !== segment.toLowerCase();
}

export function isReferenceProblem(result: ImageReference | ReferenceProblem): result is ReferenceProblem {
  return 'code' in result;
}
