import { registryRpc, type RegistryUsage } from '@berth/contracts';
import { eventually, makeImage, pushImage } from '@berth/testing';
import { People } from './people.js';
import { blobPath, manifestPath, newImage } from './pulled-images.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

describe('what the registry tells of itself', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    const upstreams = { 'docker.io': { url: upstream.url } };
    registry = await RegistryUnderTest.start({ token: people.developer, upstreams });
  });
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  const usage = (actor = people.admin): Promise<RegistryUsage> =>
    people.rpc.call(registryRpc.usage, {}, actor);
  const get = async (path: string): Promise<number> => {
    const response = await registry.fetch(path);
    await response.arrayBuffer();
    return response.status;
  };

  it('is nothing where nothing was pulled', async () => {
    const none = { hosted: 0, cache: 0, stale: 0, upstream: 0, hitRate: null };
    expect(await usage()).toEqual({
      days: 30,
      stored: { hosted: 0, cached: 0 },
      manifests: none,
      blobs: none,
    });
  });

  it('is how much of what was pulled was here, and what lies here', async () => {
    const image = await newImage();
    for (let round = 0; round < 3; round += 1) {
      expect(await get(manifestPath(image))).toBe(200);
      expect(await get(blobPath(image))).toBe(200);
    }
    const own = await makeImage({ name: 'acme/own', busybox: false, files: { '/a': 'own' } });
    await pushImage(own, registry.url, {
      repository: 'acme/own',
      authorization: `Bearer ${people.developer}`,
    });
    expect(await get('/v2/acme/own/manifests/1')).toBe(200);
    await upstream.down();
    const digest = { cache: 2, stale: 0, upstream: 1, hitRate: 0.6667 };
    await eventually(async () => {
      const { manifests, blobs, stored } = await usage();
      expect({ manifests, blobs }).toEqual({
        manifests: { ...digest, hosted: 1 },
        blobs: { ...digest, hosted: 0 },
      });
      expect(stored.hosted).toBe(own.config.content.length + own.layers[0].content.length);
      expect(stored.cached).toBeGreaterThanOrEqual(image.layers[0].content.length);
    });
  });

  it('is for admins', async () => {
    const developer = await people.principal(people.developer);
    await expect(people.rpc.call(registryRpc.usage, {}, { actor: developer })).rejects.toMatchObject({
      code: 'POLICY_DENIED',
    });
  });
});
