import { policyRpc } from '@berth/contracts';
import {
  buildTestImage,
  eventually,
  freePort,
  makeImage,
  pushImage,
  startNodes,
  type TestImage,
  type TestNodes,
} from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

jest.setTimeout(120_000);

const OPEN = `permit (principal == Berth::User::"anonymous", action in Berth::Action::"image.pull", resource is Berth::Image)
  when { context.registry == "docker.io" };`;

describe('a mirror of Docker Hub', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;
  let image: TestImage;
  let mirrorPort: number;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    image = await buildTestImage({ name: `mirrored-${process.pid}`, cmd: ['true'] });
    mirrorPort = await freePort();
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url } },
      mirrorPort,
    });
    const hosted = await makeImage({ name: 'acme/web', busybox: false });
    const authorization = `Bearer ${people.developer}`;
    await pushImage(hosted, registry.url, { repository: 'acme/web', authorization });
  });
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  const atMirror = (path: string, init: RequestInit & { as?: string | null } = {}): Promise<Response> =>
    registry.fetch(`http://127.0.0.1:${mirrorPort}${path}`, init);
  const manifest = (): string => `/v2/${image.repository}/manifests/1`;

  it('gives by names as they are there, at its own port only', async () => {
    const answer = await atMirror(manifest());
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, image.digest]);
    expect((await atMirror(`/v2/${image.repository}/blobs/${image.layers[0].digest}`)).status).toBe(200);
    expect((await atMirror(`${manifest()}?ns=docker.io`)).status).toBe(200);
    expect((await registry.fetch(manifest())).status).toBe(404);
    // Nor has it what teams have here under such a name.
    expect((await registry.fetch('/v2/acme/web/manifests/1')).status).toBe(200);
    expect((await atMirror('/v2/acme/web/manifests/1')).status).toBe(404);
    expect((await atMirror('/v2/acme/web/blobs/uploads/', { method: 'POST' })).status).toBe(405);
  });

  it('asks for tokens and gives them by these names, too', async () => {
    const refused = await atMirror(manifest(), { as: null });
    expect(refused.status).toBe(401);
    const challenge = refused.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain(`realm="http://127.0.0.1:${mirrorPort}/token"`);
    const [, scope = ''] = /scope="([^"]+)"/.exec(challenge) ?? [];
    expect(scope).toBe(`repository:${image.repository}:pull`);
    const given = await atMirror(`/token?scope=${encodeURIComponent(scope)}`);
    const { token } = (await given.json()) as { token: string };
    expect((await atMirror(manifest(), { as: token })).status).toBe(200);
    expect((await atMirror('/v2/library/other/manifests/1', { as: token })).status).toBe(401);
  });

  describe('of a dockerd that asks it first', () => {
    let nodes: TestNodes;

    beforeAll(async () => {
      nodes = await startNodes(1, { mirrorPort });
    });
    afterAll(() => nodes?.stop());

    it('serves a pull without credentials once a policy permits it', async () => {
      const [node] = nodes.nodes;
      const name = `${image.repository.replace('library/', '')}:1`;
      // No route leads from it to Docker Hub itself.
      await expect(node.docker('pull', name)).rejects.toThrow();
      await people.rpc.call(policyRpc.applyPolicy, { id: 'open-hub', text: OPEN }, people.admin);
      await eventually(async () => expect((await registry.fetch('/token', { as: null })).status).toBe(200));
      await node.docker('pull', name);
      expect(await node.docker('image', 'inspect', '--format', '{{index .RepoDigests 0}}', name)).toContain(
        image.digest,
      );
      await people.rpc.call(policyRpc.removePolicy, { id: 'open-hub' }, people.admin);
    });
  });
});
