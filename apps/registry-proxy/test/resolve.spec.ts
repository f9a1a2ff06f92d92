import { registryRpc, type Principal } from '@berth/contracts';
import { buildTestImage, makeImage, pushImage, type TestImage } from '@berth/testing';

import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const UNKNOWN = `sha256:${'0'.repeat(64)}`;

describe('resolving an image', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;
  let ann: Principal;
  const unique = (name: string): string => `${name}-${process.pid}`;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url } },
      tagTtlSeconds: 0,
      publicHost: 'registry.berth.example:4401',
    });
    ann = await people.principal(people.developer);
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  const resolve = (reference: string, platform = AMD64, actor: Principal | null = ann) =>
    people.rpc.call(registryRpc.resolve, { reference, platform }, { actor });
  const failure = (reference: string, platform = AMD64, actor: Principal | null = ann) =>
    resolve(reference, platform, actor).then(
      () => {
        throw new Error(`${reference} was resolved`);
      },
      (error: unknown) => error as { code: string; message: string; extensions: Record<string, unknown> },
    );

  it('answers digest, size and the facts of the config, and fetches no layer', async () => {
    const image = await buildTestImage({
      name: unique('facts'),
      user: '1234',
      entrypoint: ['/bin/app'],
      cmd: ['--serve'],
      ports: ['8080/tcp'],
      env: { SECRET: 'value' },
      labels: { 'org.opencontainers.image.source': 'here' },
      architecture: 'amd64',
    });
    const resolved = await resolve(image.reference);
    expect(resolved).toMatchObject({
      reference: image.reference,
      repository: `docker.io/${image.repository}`,
      digest: image.digest,
      platformDigest: image.digest,
      mediaType: image.mediaType,
      size: image.layers.reduce((sum, { content }) => sum + content.length, 0),
      cached: false,
      config: {
        user: '1234',
        entrypoint: ['/bin/app'],
        command: ['--serve'],
        exposedPorts: ['8080/tcp'],
        volumes: [],
        hasHealthcheck: false,
        createdAt: '1970-01-01T00:00:00Z',
      },
    });
    expect(resolved.config.labels).toMatchObject({ 'org.opencontainers.image.source': 'here' });
    expect(JSON.stringify(resolved)).not.toContain('value');
    expect(upstream.count(new RegExp(image.layers[0]!.digest))).toBe(0);
    expect(await resolve(image.reference)).toMatchObject({ cached: true });
  });

  it('reads a reference as docker does, and a hosted one by any of its own hosts', async () => {
    const image = await makeImage({ name: 'acme/web', busybox: false, architecture: 'amd64' });
    await pushImage(image, registry.url, { authorization: `Bearer ${people.developer}` });
    const { port } = new URL(registry.url);
    for (const host of [registry.address, `localhost:${port}`, 'registry.berth.example:4401']) {
      const resolved = await resolve(`${host}/acme/web:1`);
      expect(resolved).toMatchObject({ repository: 'acme/web', digest: image.digest });
    }
    expect((await resolve(`${registry.address}/acme/web@${image.digest}`)).digest).toBe(image.digest);
    expect((await failure('acme/web:1')).code).toBe('IMAGE_NOT_FOUND');
  });

  it('takes the manifest of the platform from an index, and says which there are', async () => {
    const built = await Promise.all(
      ['amd64', 's390x'].map((architecture) =>
        makeImage({
          name: 'acme/multi',
          tag: architecture,
          busybox: false,
          architecture,
          files: { '/arch': architecture },
        }),
      ),
    );
    for (const image of built)
      await pushImage(image, registry.url, { authorization: `Bearer ${people.developer}` });
    const entry = (image: TestImage, architecture: string, os = 'linux'): object => ({
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.manifest.length,
      platform: { os, architecture },
    });
    const put = await registry.fetch('/v2/acme/multi/manifests/all', {
      method: 'PUT',
      headers: { 'content-type': OCI_INDEX },
      body: JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          entry(built[1]!, 'unknown', 'unknown'),
          entry(built[0]!, 'amd64'),
          entry(built[1]!, 's390x'),
        ],
      }),
    });
    expect(put.status).toBe(201);
    const indexDigest = put.headers.get('docker-content-digest');
    const reference = `${registry.address}/acme/multi:all`;
    for (const [architecture, image] of [
      ['x86_64', built[0]!],
      ['amd64', built[0]!],
      ['s390x', built[1]!],
    ] as const) {
      expect(await resolve(reference, { os: 'linux', architecture })).toMatchObject({
        digest: indexDigest,
        platformDigest: image.digest,
        mediaType: OCI_INDEX,
      });
    }
    const error = await failure(reference, { os: 'linux', architecture: 'riscv64' });
    expect(error).toMatchObject({
      code: 'IMAGE_PLATFORM_MISMATCH',
      extensions: { platforms: ['linux/amd64', 'linux/s390x'] },
    });
    expect(error.message).toContain('not built for linux/riscv64; it is there for linux/amd64, linux/s390x');
    expect((await failure(`${registry.address}/acme/multi:s390x`)).code).toBe('IMAGE_PLATFORM_MISMATCH');
  });

  it.each([
    ['nginx:no:tag', 'REFERENCE_INVALID'],
    ['Nginx', 'REFERENCE_INVALID'],
    ['nginx@sha256:abc', 'DIGEST_INVALID'],
    ['quay.io/owner/app:1', 'UPSTREAM_UNKNOWN'],
    ['never-there:1', 'IMAGE_NOT_FOUND'],
    [`never-there@${UNKNOWN}`, 'IMAGE_NOT_FOUND'],
  ])('refuses %s as %s', async (reference, code) => {
    expect((await failure(reference)).code).toBe(code);
  });

  it('says what is wrong with the upstream', async () => {
    const answer = (status: number, headers: Record<string, string> = {}) => {
      upstream.intercept = (_request, response) => {
        response.writeHead(status, headers).end();
        return true;
      };
    };
    answer(500);
    expect((await failure('broken:1')).code).toBe('UPSTREAM_UNAVAILABLE');
    answer(401);
    expect(await failure('private:1')).toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await upstream.down();
    try {
      expect((await failure('away:1')).code).toBe('UPSTREAM_UNAVAILABLE');
    } finally {
      await upstream.up();
    }
    answer(429, { 'retry-after': '0' });
    expect(await failure('limited:1')).toMatchObject({
      code: 'UPSTREAM_RATE_LIMITED',
      extensions: { retryAfter: '0' },
    });
  });

  it('is the image.pull of whoever asks', async () => {
    const image = await makeImage({ name: 'acme/hidden', busybox: false, architecture: 'amd64' });
    await pushImage(image, registry.url, { authorization: `Bearer ${people.developer}` });
    const olga = await people.principal(people.stranger);
    expect((await failure(`${registry.address}/acme/hidden:1`, AMD64, olga)).code).toBe('NOT_FOUND');
    expect((await failure(`${registry.address}/acme/hidden:1`, AMD64, null)).code).toBe('UNAUTHENTICATED');
    expect((await failure('blocked:1')).code).toBe('POLICY_DENIED');
    expect(upstream.count(/blocked/)).toBe(0);
  });
});
