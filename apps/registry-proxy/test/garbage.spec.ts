import { randomBytes } from 'node:crypto';
import { access, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { registryRpc } from '@berth/contracts';
import { makeImage, makeLayer, pushImage, type Layer, type TestImage } from '@berth/testing';
import { DataSource } from 'typeorm';
import { ImageCatalog } from '../src/catalog/image-catalog.js';
import { BlobStore } from '../src/store/blob-store.js';
import { GarbageCollection } from '../src/housekeeping/garbage-collection.js';
import { digestOf, type Digest } from '../src/names/digest.js';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { MISCOUNTED } from './team-storage.js';

const LEASE_SECONDS = 600;
const SOAK_MS = 10_000;
const LONGEST_SOAK_MS = 90_000;
const ENOUGH_OF_EACH = 20;

describe('what no image names', () => {
  let people: People;
  let registry: RegistryUnderTest;
  let other: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({ token: people.developer });
    other = await RegistryUnderTest.start({ beside: registry });
  });
  afterAll(async () => {
    await other.stop();
    await registry.stop();
    await people.stop();
  });

  const collect = (of = registry, grace = LEASE_SECONDS) =>
    of.app.get(GarbageCollection).run(grace, performance.now() + 60_000);
  const path = (digest: string): string =>
    registry.fileInStore('blobs/sha256', digest.slice(7, 9), digest.slice(7));
  const isStored = (digest: string): Promise<boolean> =>
    access(path(digest)).then(
      () => true,
      () => false,
    );
  const status = async (method: string, url: string, of = registry): Promise<number> => {
    const response = await of.fetch(url, { method });
    await response.arrayBuffer();
    return response.status;
  };
  /** As if it had been there for a day. */
  const age = (repository: string): Promise<object[]> =>
    registry.query(`UPDATE blob_links SET linked_at = now() - interval '1 day' WHERE repository = $1`, [
      repository,
    ]);
  const push = (image: TestImage, repository: string, to = registry): Promise<void> =>
    pushImage(image, to.url, { repository, authorization: `Bearer ${people.developer}` });
  const newImage = (layers: Layer[] = []): Promise<TestImage> =>
    makeImage({
      name: 'acme/x',
      busybox: false,
      layers,
      files: { '/unique': randomBytes(32).toString('hex') },
    });
  const digests = (image: TestImage): string[] => [
    image.config.digest,
    ...image.layers.map(({ digest }) => digest),
  ];

  it('goes with the last image that named it, and not before', async () => {
    const shared = await makeLayer({ '/shared': randomBytes(1_000).toString('hex') });
    const [one, two] = [await newImage([shared]), await newImage([shared])];
    await push(one, 'acme/one');
    await push(two, 'acme/two');
    for (const repository of ['acme/one', 'acme/two']) await age(repository);
    expect(await collect()).toMatchObject({ links: 0, blobs: 0 });
    expect(await status('DELETE', `/v2/acme/one/manifests/${one.digest}`)).toBe(202);
    const [, own] = one.layers;
    const bytes = own.content.length + one.config.content.length + one.manifest.length;
    expect(await collect()).toEqual({ links: 3, blobs: 3, bytes, strays: 0, more: false });
    for (const digest of [own.digest, one.config.digest, one.digest])
      expect(await isStored(digest)).toBe(false);
    for (const digest of digests(two)) expect(await status('GET', `/v2/acme/two/blobs/${digest}`)).toBe(200);
    // And it may come again.
    await push(one, 'acme/one');
    expect(await status('GET', `/v2/acme/one/blobs/${shared.digest}`)).toBe(200);
  });

  it('waits for its image for a while, and longer where somebody asks for it', async () => {
    const image = await newImage();
    const [layer] = image.layers;
    const upload = await registry.fetch(`/v2/acme/three/blobs/uploads/?digest=${layer.digest}`, {
      method: 'POST',
      body: new Uint8Array(layer.content),
    });
    expect(upload.status).toBe(201);
    await collect();
    expect(await isStored(layer.digest)).toBe(true);
    await age('acme/three');
    expect(await status('HEAD', `/v2/acme/three/blobs/${layer.digest}`)).toBe(200);
    await collect();
    expect(await isStored(layer.digest)).toBe(true);
    await age('acme/three');
    expect(await collect()).toMatchObject({ links: 1, blobs: 1, bytes: layer.content.length });
    expect(await status('HEAD', `/v2/acme/three/blobs/${layer.digest}`)).toBe(404);
    expect(await isStored(layer.digest)).toBe(false);
  });

  it('is what a crash left: bytes without a row, and a row without bytes', async () => {
    const stray = Buffer.from('a stray');
    const digest = digestOf(stray);
    await mkdir(dirname(path(digest)), { recursive: true });
    await writeFile(path(digest), stray);
    expect(await collect()).toMatchObject({ strays: 0 });
    await utimes(path(digest), new Date(0), new Date(0));
    const row = digestOf(Buffer.from('a row'));
    await registry.query('INSERT INTO blobs (digest, size) VALUES ($1, 5)', [row]);
    expect(await collect()).toMatchObject({ blobs: 1, strays: 1 });
    expect(await isStored(digest)).toBe(false);
    expect(await registry.query('SELECT FROM blobs WHERE digest = $1', [row])).toEqual([]);
  });

  it('is there after all when it is pushed in the moment that it goes', async () => {
    const image = await newImage();
    await push(image, 'acme/moment');
    expect(await status('DELETE', `/v2/acme/moment/manifests/${image.digest}`)).toBe(202);
    await age('acme/moment');
    const store = registry.app.get(BlobStore);
    const pushes: Promise<void>[] = [];
    /** As slow as a disk can be, so that the push comes in between. */
    const slow: BlobStore = Object.create(store, {
      remove: {
        value: async (digest: Digest) => {
          pushes.push(push(image, 'acme/moment', other));
          await new Promise((resolve) => setTimeout(resolve, 500));
          await store.remove(digest);
        },
      },
    }) as BlobStore;
    const database = registry.app.get(DataSource).manager;
    await new GarbageCollection(database, slow, registry.app.get(ImageCatalog)).run(LEASE_SECONDS, Infinity);
    await Promise.all(pushes);
    expect(pushes.length).toBeGreaterThan(0);
    for (const digest of digests(image))
      expect([digest, await status('GET', `/v2/acme/moment/blobs/${digest}`)]).toEqual([digest, 200]);
    expect(await isStored(image.digest)).toBe(true);
  });

  it('is collected beside pushes and deletes of the same layers, with nothing lost', async () => {
    const shared = await Promise.all(
      Array.from({ length: 4 }, () => makeLayer({ '/shared': randomBytes(20_000).toString('hex') })),
    );
    const begunAt = performance.now();
    const counts = { pushed: 0, removed: 0 };
    // For a while, and on a slow machine until enough of both has met.
    const goesOn = (): boolean => {
      const lasted = performance.now() - begunAt;
      const enough = counts.pushed >= ENOUGH_OF_EACH && counts.removed >= ENOUGH_OF_EACH;
      return lasted < SOAK_MS || (!enough && lasted < LONGEST_SOAK_MS);
    };
    /** When each push began that is under way. */
    const begun = new Map<number, number>();
    const worker = async (n: number): Promise<void> => {
      while (goesOn()) {
        const at = n % 2 === 0 ? registry : other;
        const repository = `acme/soak-${n % 3}`;
        const image = await newImage(shared.filter(() => Math.random() < 0.5));
        begun.set(n, Date.now());
        // Throws what the registry says, such as MANIFEST_BLOB_UNKNOWN.
        await push(image, repository, at);
        begun.delete(n);
        counts.pushed += 1;
        for (const digest of digests(image))
          expect([digest, await status('GET', `/v2/${repository}/blobs/${digest}`, at)]).toEqual([
            digest,
            200,
          ]);
        expect(await status('DELETE', `/v2/${repository}/manifests/${image.digest}`, at)).toBe(202);
      }
    };
    const collector = async (of: RegistryUnderTest): Promise<void> => {
      while (goesOn()) counts.removed += (await collect(of, 600)).blobs;
    };
    const impatient = async (): Promise<void> => {
      // Leases end as soon as no push that is under way can have asked for them: what is collected is wanted again all the time.
      while (goesOn()) {
        const oldest = Math.min(Date.now(), ...begun.values()) - 50;
        await registry.query(
          `UPDATE blob_links l SET linked_at = now() - interval '1 day' WHERE linked_at < to_timestamp($1)
           AND linked_at > now() - interval '1 hour' AND NOT EXISTS (SELECT FROM manifest_parts p WHERE p.digest = l.digest)`,
          [oldest / 1_000],
        );
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(worker).concat(collector(registry), collector(other), impatient()),
    );
    expect(counts.pushed).toBeGreaterThanOrEqual(ENOUGH_OF_EACH);
    expect(counts.removed).toBeGreaterThanOrEqual(ENOUGH_OF_EACH);
    expect(await registry.query(MISCOUNTED)).toEqual([]);
  }, 120_000);

  it('is collected when an admin says so, and nobody else', async () => {
    const developer = await people.principal(people.developer);
    const ask = (options: object) => people.rpc.call(registryRpc.collect, { graceSeconds: 600 }, options);
    await expect(ask({ actor: developer })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    expect(await ask(people.admin)).toMatchObject({ more: false });
    await expect(
      people.rpc.call(registryRpc.collect, { graceSeconds: 0 }, people.admin),
    ).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });
});
