import {
  policyRpc,
  registryRpc,
  type ListRepositories,
  type Principal,
  type Repository,
} from '@berth/contracts';
import { makeImage, pushImage, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { manifestPath, newImage } from './pulled-images.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('what the registry stores, as people look at it', () => {
  let people: People;
  let registry: RegistryUnderTest;
  let upstream: UpstreamFront;
  let image: TestImage;
  let ann: Principal;
  let olga: Principal;
  let pulled: string;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url } },
    });
    ann = await people.principal(people.developer);
    olga = await people.principal(people.stranger);
    image = await makeImage({ name: 'acme/web', busybox: false, files: { '/hello.txt': 'hello' } });
    for (const [repository, tag] of [
      ['acme/web', '1'],
      ['acme/web', '2'],
      ['acme/api', 'latest'],
    ])
      await pushImage(image, registry.url, { repository, tag, authorization: `Bearer ${people.developer}` });
    const other = await newImage();
    expect((await registry.fetch(manifestPath(other))).status).toBe(200);
    pulled = `docker.io/${other.repository}`;
  });
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  const list = async (actor: Principal, query: Partial<ListRepositories> = {}): Promise<Repository[]> =>
    (await people.rpc.call(registryRpc.repositories, query, { actor })).items;
  const names = async (actor: Principal, query: Partial<ListRepositories> = {}): Promise<string[]> =>
    (await list(actor, query)).map(({ name }) => name);
  const tags = (actor: Principal, repository: string, more: { limit?: number; cursor?: string } = {}) =>
    people.rpc.call(registryRpc.tags, { repository, ...more }, { actor });
  const remove = (actor: Principal, repository: string, reference: string) =>
    people.rpc.call(registryRpc.remove, { repository, reference }, { actor });
  const unseen = { code: 'NOT_FOUND' };

  it('is inspected: what it is, as policy lets one pull it', async () => {
    const inspect = (actor: Principal, repository: string, reference = '1') =>
      people.rpc.call(registryRpc.inspect, { repository, reference }, { actor });
    const { layers, digest, mediaType } = image;
    expect(await inspect(ann, 'acme/web')).toMatchObject({
      ...{ repository: 'acme/web', digest, mediaType, user: '1000:1000', subject: null, manifests: [] },
      ...{ created: '1970-01-01T00:00:00Z', platforms: [expect.stringMatching(/^linux\//)] },
      bytes: image.config.content.length + layers.reduce((sum, { content }) => sum + content.length, 0),
      layers: layers.map((layer) => ({ digest: layer.digest, bytes: layer.content.length })),
    });
    expect(await inspect(ann, 'acme/web', digest)).toMatchObject({ digest });
    await expect(inspect(ann, 'acme/web', 'none')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(inspect(ann, 'acme/web', '../x')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(inspect(olga, 'acme/web')).rejects.toMatchObject(unseen);
  });

  it('is listed with what it takes: all for an admin, for others what their teams have', async () => {
    expect(await names(people.admin.actor)).toEqual(['acme/api', 'acme/web', pulled]);
    const bytes =
      image.manifest.length +
      image.config.content.length +
      image.layers.reduce((sum, { content }) => sum + content.length, 0);
    expect(await list(ann)).toMatchObject([
      { name: 'acme/api', team: 'acme', upstream: null, tags: 1, bytes },
      { name: 'acme/web', team: 'acme', upstream: null, tags: 2, bytes },
    ]);
    expect(await names(olga)).toEqual([]);
    expect(await names(people.admin.actor, { team: 'acme' })).toEqual(['acme/api', 'acme/web']);
    await expect(names(olga, { team: 'acme' })).rejects.toMatchObject(unseen);
  });

  it('leaves out a team whose images policy keeps from them', async () => {
    await people.rpc.call(policyRpc.setMember, { team: 'others', user: 'ann', role: 'viewer' }, people.admin);
    const text =
      'forbid (principal, action in Berth::Action::"repository.list", resource == Berth::Team::"others");';
    await people.rpc.call(policyRpc.applyPolicy, { id: 'closed', text }, people.admin);
    try {
      const both = await people.principal(people.developer);
      expect(both.teams.map(({ team }) => team).sort()).toEqual(['acme', 'others']);
      expect(await names(both)).toEqual(['acme/api', 'acme/web']);
      await expect(names(both, { team: 'others' })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    } finally {
      await people.rpc.call(policyRpc.removePolicy, { id: 'closed' }, people.admin);
      await people.rpc.call(policyRpc.removeMember, { team: 'others', user: 'ann' }, people.admin);
    }
  });

  it('comes in pages', async () => {
    const first = await people.rpc.call(registryRpc.repositories, { limit: 1 }, { actor: ann });
    expect(first.items).toMatchObject([{ name: 'acme/api' }]);
    expect(await names(ann, { limit: 1, cursor: first.nextCursor ?? '' })).toEqual(['acme/web']);
    const { nextCursor } = await tags(ann, 'acme/web', { limit: 1 });
    expect((await tags(ann, 'acme/web', { cursor: nextCursor ?? '' })).items).toMatchObject([{ name: '2' }]);
  });

  it('has tags, of images with their size and of indexes', async () => {
    const entry = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length };
    const put = await registry.fetch('/v2/acme/web/manifests/all', {
      method: 'PUT',
      headers: { 'content-type': INDEX },
      body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] }),
    });
    expect(put.status).toBe(201);
    const size =
      image.config.content.length + image.layers.reduce((sum, { content }) => sum + content.length, 0);
    const { items } = await tags(ann, 'acme/web');
    expect(items).toMatchObject([
      { name: '1', digest: image.digest, mediaType: image.mediaType, bytes: size },
      { name: '2', digest: image.digest, bytes: size },
      { name: 'all', mediaType: INDEX, bytes: null },
    ]);
    await expect(tags(olga, 'acme/web')).rejects.toMatchObject(unseen);
    await expect(tags(ann, 'acme/none')).rejects.toMatchObject(unseen);
    expect((await tags(ann, pulled)).items).toMatchObject([{ name: '1' }]);
  });

  it('goes: a tag alone, an image with its tags, and nothing that something else needs', async () => {
    await expect(remove(olga, 'acme/web', '1')).rejects.toMatchObject(unseen);
    await remove(ann, 'acme/web', '1');
    expect((await tags(ann, 'acme/web')).items.map(({ name }) => name)).toEqual(['2', 'all']);
    expect((await registry.fetch('/v2/acme/web/manifests/1')).status).toBe(404);
    await expect(remove(ann, 'acme/web', image.digest)).rejects.toMatchObject({ code: 'CONFLICT' });
    await remove(ann, 'acme/web', 'all');
    await expect(remove(ann, 'acme/web', 'all')).rejects.toMatchObject(unseen);
    const [index] = await registry.query<{ digest: string }>(
      `SELECT digest FROM manifests WHERE repository = 'acme/web' AND media_type = $1`,
      [INDEX],
    );
    for (const digest of [index.digest, image.digest]) await remove(ann, 'acme/web', digest);
    expect((await tags(ann, 'acme/web')).items).toEqual([]);
    await expect(remove(people.admin.actor, pulled, '1')).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
