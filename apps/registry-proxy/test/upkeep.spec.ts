import { access, readdir, unlink, writeFile } from 'node:fs/promises';
import { registryRpc } from '@berth/contracts';
import { eventually, makeImage, pushImage, type TestImage } from '@berth/testing';
import { CacheEviction } from '../src/housekeeping/cache-eviction.js';
import { GarbageCollection } from '../src/housekeeping/garbage-collection.js';
import { People } from './people.js';
import { blobPath, manifestPath, newImage } from './pulled-images.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { Told } from './told.js';
import { UpstreamFront } from './upstream-front.js';

describe('what the registry does for what it stores', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;
  let told: Told;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    const upstreams = { 'docker.io': { url: upstream.url } };
    registry = await RegistryUnderTest.start({ token: people.developer, upstreams });
    told = await Told.start();
  });
  afterAll(async () => {
    await told.stop();
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  const path = (digest: string): string =>
    registry.fileInStore('blobs/sha256', digest.slice(7, 9), digest.slice(7));
  const isStored = (digest: string): Promise<boolean> =>
    access(path(digest)).then(
      () => true,
      () => false,
    );
  const push = (image: TestImage, repository: string): Promise<void> =>
    pushImage(image, registry.url, { repository, authorization: `Bearer ${people.developer}` });
  const pull = async (image: TestImage): Promise<void> => {
    expect((await registry.fetch(manifestPath(image))).status).toBe(200);
    const blob = await registry.fetch(blobPath(image));
    expect(Buffer.from(await blob.arrayBuffer()).equals(image.layers[0].content)).toBe(true);
  };
  const scrub = () => people.rpc.call(registryRpc.scrub, {}, people.admin);

  it('finds nothing wrong where nothing is', async () => {
    const image = await makeImage({ name: 'acme/well', busybox: false, files: { '/a': 'well' } });
    await push(image, 'acme/well');
    const scrubbed = await scrub();
    expect(scrubbed).toMatchObject({ damaged: [], more: false });
    expect(scrubbed.blobs).toBeGreaterThanOrEqual(3);
    // Since then nothing has become due.
    const { verifiedBefore } = scrubbed;
    expect(await people.rpc.call(registryRpc.scrub, { verifiedBefore }, people.admin)).toMatchObject({
      blobs: 0,
    });
  });

  it('puts away what has rotted and tells of it, and a push brings it again', async () => {
    const image = await makeImage({ name: 'acme/rotten', busybox: false, files: { '/a': 'rotten' } });
    await push(image, 'acme/rotten');
    const { digest, content } = image.layers[0];
    await writeFile(path(digest), Buffer.alloc(content.length, 7));
    const damage = {
      digest,
      bytes: content.length,
      damage: 'rotten',
      repositories: ['acme/rotten'],
      upstreams: [],
    };
    expect((await scrub()).damaged).toEqual([damage]);
    await eventually(async () => {
      const { events, records } = await told.refresh();
      expect(events.find(({ type }) => type.endsWith('image.damaged.v1'))).toMatchObject({ data: damage });
      expect(records).toContainEqual(
        expect.objectContaining({ action: 'image.scrub', outcome: 'succeeded' }),
      );
    });
    expect((await readdir(registry.fileInStore('quarantine')))[0]).toContain(digest.slice(7));
    expect((await registry.fetch(`/v2/acme/rotten/blobs/${digest}`)).status).toBe(404);
    // It is told of for as long as it is so.
    expect((await scrub()).damaged).toEqual([{ ...damage, damage: 'missing' }]);
    await push(image, 'acme/rotten');
    expect((await registry.fetch(`/v2/acme/rotten/blobs/${digest}`)).status).toBe(200);
    expect((await scrub()).damaged).toEqual([]);
  });

  it.each([
    ['rotten', (file: string) => writeFile(file, 'something else')],
    ['missing', (file: string) => unlink(file)],
  ])('fetches again what is %s and came from an upstream', async (damage, spoil) => {
    const image = await newImage();
    await pull(image);
    for (const digest of [image.layers[0].digest, image.digest]) await spoil(path(digest));
    const repository = `docker.io/${image.repository}`;
    const { damaged } = await scrub();
    expect(new Set(damaged.map(({ digest }) => digest))).toEqual(
      new Set([image.digest, image.layers[0].digest]),
    );
    for (const blob of damaged)
      expect(blob).toMatchObject({ damage, repositories: [], upstreams: [repository] });
    await eventually(() => pull(image));
    expect((await scrub()).damaged).toEqual([]);
  });

  it('is for admins', async () => {
    const actor = await people.principal(people.developer);
    await expect(people.rpc.call(registryRpc.scrub, {}, { actor })).rejects.toMatchObject({
      code: 'POLICY_DENIED',
    });
  });

  it('keeps what was pulled through under its size, and lets go what nobody has pulled for longest', async () => {
    const [old, lately, fresh] = [await newImage(300_000), await newImage(300_000), await newImage(300_000)];
    for (const image of [old, lately, fresh]) await pull(image);
    const used = (image: TestImage, when: string): Promise<object[]> =>
      registry.query(`UPDATE manifests SET used_at = now() - $2::interval WHERE repository = $1`, [
        `docker.io/${image.repository}`,
        when,
      ]);
    const hosted = await makeImage({ name: 'acme/stays', busybox: false, layers: old.layers });
    await push(hosted, 'acme/stays');
    await registry.query(`UPDATE blob_links SET linked_at = now() - interval '1 hour'`);
    await registry.query(`UPDATE manifests SET used_at = now() - interval '1 day'`);
    await used(old, '3 hours');
    await used(lately, '2 hours');
    await used(fresh, '1 minute');
    const eviction = registry.app.get(CacheEviction);
    expect(await eviction.run(10_000_000)).toBe(0);
    expect(await eviction.run(0)).toBeGreaterThan(1);
    await registry.app.get(GarbageCollection).run(86_400, performance.now() + 60_000);
    // What is being pulled stays, and so does what a team has pushed.
    expect(await isStored(fresh.layers[0].digest)).toBe(true);
    expect(await isStored(lately.layers[0].digest)).toBe(false);
    expect(await isStored(old.layers[0].digest)).toBe(true);
    expect((await registry.fetch('/v2/acme/stays/manifests/1')).status).toBe(200);
    await eventually(() => pull(lately));
  });

  it('notes when an image was pulled', async () => {
    const image = await newImage();
    await pull(image);
    const [{ recent }] = await registry.query<{ recent: boolean }>(
      `SELECT used_at > now() - interval '1 minute' AS recent FROM manifests WHERE repository = $1`,
      [`docker.io/${image.repository}`],
    );
    expect(recent).toBe(true);
  });
});
