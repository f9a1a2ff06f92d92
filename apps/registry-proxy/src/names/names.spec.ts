import { isDigest } from './digest.js';
import { parseImageReference, type ReferenceContext } from './image-reference.js';
import { parseRepositoryName } from './repository-name.js';
import { parseManifestReference } from './tag.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const upstreams = new Set(['docker.io', 'ghcr.io', 'mirror.corp']);
const context: ReferenceContext = {
  ownHosts: new Set(['127.0.0.1:4401', 'localhost:4401', 'berth.example:4401']),
  upstreamByHost: new Map([
    ['docker.io', 'docker.io'],
    ['ghcr.io', 'ghcr.io'],
    ['registry.corp:5000', 'mirror.corp'],
  ]),
};

describe('a repository name in a path', () => {
  it.each([
    ['docker.io/library/nginx', { kind: 'upstream', upstream: 'docker.io', path: 'library/nginx' }],
    ['docker.io/nginx', { kind: 'upstream', path: 'library/nginx', name: 'docker.io/library/nginx' }],
    ['ghcr.io/owner/deep/name', { kind: 'upstream', upstream: 'ghcr.io', path: 'owner/deep/name' }],
    ['mirror.corp/base', { kind: 'upstream', upstream: 'mirror.corp', path: 'base' }],
    ['acme/web', { kind: 'hosted', team: 'acme', name: 'acme/web' }],
    ['acme/web/api', { kind: 'hosted', team: 'acme', name: 'acme/web/api' }],
    ['acme/a__b.c---d', { kind: 'hosted', team: 'acme' }],
  ])('reads %s', (text, expected) => {
    expect(parseRepositoryName(text, upstreams)).toMatchObject(expected);
  });

  it.each([
    ['web', 'NAME_INVALID'],
    ['quay.io/owner/app', 'NAME_UNKNOWN'],
    ['acme/../etc', 'NAME_INVALID'],
    ['acme/..', 'NAME_INVALID'],
    ['../acme/web', 'NAME_INVALID'],
    ['acme//web', 'NAME_INVALID'],
    ['acme/.hidden', 'NAME_INVALID'],
    ['acme/web/', 'NAME_INVALID'],
    ['Acme/web', 'NAME_INVALID'],
    ['acme/we\u0000b', 'NAME_INVALID'],
    ['acme/we\\b', 'NAME_INVALID'],
    [`acme/${'a'.repeat(256)}`, 'NAME_INVALID'],
  ])('refuses %j as %s', (text, code) => {
    expect(parseRepositoryName(text, upstreams)).toMatchObject({ code });
  });
});

describe('an image reference', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx', 'latest', null],
    ['nginx:1.27', 'docker.io/library/nginx', '1.27', null],
    ['bitnami/redis', 'docker.io/bitnami/redis', 'latest', null],
    ['docker.io/nginx', 'docker.io/library/nginx', 'latest', null],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx', 'latest', null],
    ['ghcr.io/owner/app:v1', 'ghcr.io/owner/app', 'v1', null],
    ['registry.corp:5000/base:1', 'mirror.corp/base', '1', null],
    [`nginx@${DIGEST}`, 'docker.io/library/nginx', null, DIGEST],
    [`nginx:1.27@${DIGEST}`, 'docker.io/library/nginx', '1.27', DIGEST],
    ['127.0.0.1:4401/acme/web', 'acme/web', 'latest', null],
    ['localhost:4401/acme/web:2', 'acme/web', '2', null],
    ['berth.example:4401/docker.io/nginx:1', 'docker.io/library/nginx', '1', null],
  ])('%s is %s, tag %s, digest %s', (text, name, tag, digest) => {
    expect(parseImageReference(text, context)).toMatchObject({ repository: { name }, tag, digest });
  });

  it('takes the team of a hosted image from its first segment', () => {
    expect(parseImageReference('127.0.0.1:4401/acme/web', context)).toMatchObject({
      repository: { kind: 'hosted', team: 'acme' },
    });
  });

  it('means Docker Hub by a name without a host, also when a team has that name', () => {
    expect(parseImageReference('acme/web', context)).toMatchObject({
      repository: { kind: 'upstream', upstream: 'docker.io' },
    });
  });

  it.each([
    ['', 'REFERENCE_INVALID'],
    ['Nginx', 'REFERENCE_INVALID'],
    ['nginx:', 'REFERENCE_INVALID'],
    ['nginx:a b', 'REFERENCE_INVALID'],
    ['a/../b', 'REFERENCE_INVALID'],
    ['127.0.0.1:4401/web', 'REFERENCE_INVALID'],
    ['nginx@sha256:abc', 'DIGEST_INVALID'],
    ['nginx@md5:d41d8cd98f00b204e9800998ecf8427e', 'DIGEST_INVALID'],
    ['quay.io/owner/app', 'UPSTREAM_UNKNOWN'],
    ['localhost:9999/acme/web', 'UPSTREAM_UNKNOWN'],
  ])('refuses %j as %s', (text, code) => {
    expect(parseImageReference(text, context)).toMatchObject({ code });
  });
});

describe('a manifest reference', () => {
  it('tells tags from digests', () => {
    expect(parseManifestReference('v1.0')).toEqual({ tag: 'v1.0' });
    expect(parseManifestReference(DIGEST)).toEqual({ digest: DIGEST });
  });

  it.each(['sha256:abc', '.hidden', '-x', 'a'.repeat(129), 'a/b', ''])('refuses %j', (text) => {
    expect(parseManifestReference(text)).toBeNull();
  });

  it('takes only lower-case digests of their full length', () => {
    expect(isDigest(DIGEST.toUpperCase())).toBe(false);
    expect(isDigest(`sha512:${'a'.repeat(128)}`)).toBe(true);
    expect(isDigest(`sha512:${'a'.repeat(64)}`)).toBe(false);
    expect(isDigest(`sha384:${'a'.repeat(96)}`)).toBe(false);
    expect(isDigest(`${DIGEST}\n`)).toBe(false);
  });
});
