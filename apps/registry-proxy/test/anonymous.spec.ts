import { policyRpc } from '@berth/contracts';
import { buildTestImage, eventually, makeImage, pushImage, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { Told } from './told.js';
import { UpstreamFront } from './upstream-front.js';

const OPEN = `@id("open-tools") @message("Anybody may pull the public tools.")
  permit (principal == Berth::User::"anonymous", action in [Berth::Action::"image.pull", Berth::Action::"image.list"], resource is Berth::Image)
  when { context.repository like "acme/public*" };`;

describe('pulling without a token', () => {
  let people: People;
  let told: Told;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;
  let image: TestImage;
  let theirs: TestImage;

  beforeAll(async () => {
    people = await People.start();
    told = await Told.start();
    upstream = await UpstreamFront.start();
    theirs = await buildTestImage({ name: `anonymous-${process.pid}`, busybox: false });
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url } },
    });
    image = await makeImage({ name: 'acme/public', busybox: false, files: { '/a': 'open' } });
    for (const repository of ['acme/public', 'acme/private'])
      await pushImage(image, registry.url, { repository, authorization: `Bearer ${people.developer}` });
  });
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await told.stop();
    await people.stop();
  });

  const token = (scope: string): Promise<Response> =>
    registry.fetch(`/token?service=berth&scope=${encodeURIComponent(scope)}`, { as: null });
  /** As clients do that nobody has logged in: a token for nobody first, and then the request. */
  async function anonymously(path: string, scope: string, method = 'GET'): Promise<Response> {
    const given = await token(scope);
    if (given.status !== 200) return given;
    return registry.fetch(path, { as: ((await given.json()) as { token: string }).token, method });
  }
  const pull = (repository: string): Promise<Response> =>
    anonymously(`/v2/${repository}/manifests/1`, `repository:${repository}:pull`);
  const open = () => people.rpc.call(policyRpc.applyPolicy, { id: 'open-tools', text: OPEN }, people.admin);
  const close = () => people.rpc.call(policyRpc.removePolicy, { id: 'open-tools' }, people.admin);

  it('takes a policy: without one there is no token for nobody, and nobody is asked', async () => {
    expect((await token('repository:acme/public:pull')).status).toBe(401);
    expect((await registry.fetch('/v2/acme/public/manifests/1', { as: null })).status).toBe(401);
    // Those of the push; they are written down a moment later.
    await eventually(async () => expect(await people.decisionsAbout('acme/public')).toBeGreaterThan(0));
    const { records } = await told.refresh();
    expect(records.filter(({ actor }) => actor === 'anonymous')).toEqual([]);
  });

  describe('where a policy names nobody', () => {
    beforeAll(async () => {
      await open();
      await eventually(async () => expect((await token('')).status).toBe(200));
    });
    afterAll(() => close().catch(() => undefined));

    it('gives what it opens, with its layers and tags, and records it', async () => {
      const answer = await pull('acme/public');
      expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, image.digest]);
      const scope = 'repository:acme/public:pull';
      const blob = await anonymously(`/v2/acme/public/blobs/${image.layers[0].digest}`, scope);
      expect(blob.status).toBe(200);
      expect((await anonymously('/v2/acme/public/tags/list', scope)).status).toBe(200);
      expect((await anonymously('/v2/', scope)).status).toBe(200);
      await eventually(async () =>
        expect((await told.refresh()).records).toContainEqual(
          expect.objectContaining({
            ...{ action: 'image.pull', outcome: 'succeeded', actor: 'anonymous', tokenId: null },
            policies: [{ id: 'open-tools', message: 'Anybody may pull the public tools.' }],
          }),
        ),
      );
    });

    it('gives nothing else, also not what whoever has a token may pull: clients are told to log in', async () => {
      for (const repository of ['acme/private', 'acme/none', `docker.io/${theirs.repository}`]) {
        const refused = await pull(repository);
        expect([repository, refused.status]).toEqual([repository, 401]);
        expect(refused.headers.get('www-authenticate')).toContain(`scope="repository:${repository}:pull"`);
        expect(await refused.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
      }
      // While what is not there in what is open is not there.
      const missing = await anonymously('/v2/acme/public/manifests/9', 'repository:acme/public:pull');
      expect(missing.status).toBe(404);
    });

    it('only reads, whatever scope it asks for', async () => {
      const scope = 'repository:acme/public:pull,push,delete';
      for (const [path, method] of [
        ['/v2/acme/public/blobs/uploads/', 'POST'],
        ['/v2/acme/public/manifests/1', 'DELETE'],
        ['/v2/acme/public/manifests/1', 'PUT'],
      ])
        expect([method, (await anonymously(path, scope, method)).status]).toEqual([method, 401]);
    });

    it('takes credentials that are wrong for wrong, and not for none', async () => {
      const authorization = `Basic ${Buffer.from('me:berth_wrong').toString('base64')}`;
      const answer = await registry.fetch('/token?scope=repository:acme/public:pull', {
        as: null,
        headers: { authorization },
      });
      expect(answer.status).toBe(401);
    });

    it('is forbidden by what forbids it to everybody', async () => {
      await people.rpc.call(
        policyRpc.applyPolicy,
        {
          id: 'no-public',
          text: `forbid (principal, action in Berth::Action::"image.pull", resource == Berth::Image::"acme/public");`,
        },
        people.admin,
      );
      await eventually(async () => expect((await pull('acme/public')).status).toBe(401), { timeout: 1_000 });
      await people.rpc.call(policyRpc.removePolicy, { id: 'no-public' }, people.admin);
      expect((await pull('acme/public')).status).toBe(200);
    });

    it('ends with the policy, for tokens that were given too', async () => {
      const { token: given } = (await (await token('repository:acme/public:pull')).json()) as {
        token: string;
      };
      const again = (): Promise<Response> => registry.fetch('/v2/acme/public/manifests/1', { as: given });
      expect((await again()).status).toBe(200);
      await close();
      await eventually(async () => expect((await again()).status).toBe(401), { timeout: 1_000 });
      await eventually(async () => expect((await token('')).status).toBe(401));
    });
  });
});
