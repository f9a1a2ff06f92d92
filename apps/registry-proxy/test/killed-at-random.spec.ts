import { createHash, randomBytes } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { registryRpc } from '@berth/contracts';
import {
  createTestDatabase,
  makeImage,
  makeLayer,
  pushImage,
  startTestService,
  type Layer,
  type TestDatabase,
  type TestService,
} from '@berth/testing';
import { Client } from 'pg';
import { createLogger } from '@berth/runtime';
import { RegistryEnv } from '../src/env.js';
import type { Digest } from '../src/names/digest.js';
import type { BlobStore } from '../src/store/blob-store.js';
import { openStore } from '../src/store/open-store.js';
import { People } from './people.js';
import { blobPath, manifestPath, newImage } from './pulled-images.js';
import { environment, newStore, removeStore } from './registry-under-test.js';
import { MISCOUNTED } from './team-storage.js';
import { UpstreamFront } from './upstream-front.js';

/** `KILLS=200 ./berth test …` for the long run. */
const KILLS = Number(process.env.KILLS ?? 8);
/** Rounds for each that was asked for, at most. */
const MOST = 3;
const REPOSITORIES = ['acme/a', 'acme/b'];
const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

jest.setTimeout(60_000 + KILLS * 30_000);

describe.each(['files', 'objects'] as const)(
  'a registry on %s that is killed at any moment of pushes, pulls, deletes and garbage collection',
  (kind) => {
    let people: People;
    let upstream: UpstreamFront;
    let database: TestDatabase;
    let store: string;
    let blobs: BlobStore;
    let registry: TestService;
    let sql: Client;
    // A server of objects in Python has more to do for each of them.
    const slowness = kind === 'files' ? 1 : 3;
    let shared: Layer[];

    beforeAll(async () => {
      people = await People.start();
      upstream = await UpstreamFront.start();
      database = await createTestDatabase('registry-proxy');
      store = await newStore(kind);
      const settings = await environment(database, store, {
        upstreams: { 'docker.io': { url: upstream.url } },
      });
      registry = await startTestService('registry-proxy', settings);
      blobs = await openStore(RegistryEnv.parse(settings), createLogger('registry-proxy', 'silent'));
      sql = new Client({ connectionString: database.url });
      await sql.connect();
      shared = await Promise.all(
        [1, 2, 3].map(() => makeLayer({ '/shared': randomBytes(200_000).toString('hex') })),
      );
    });
    afterAll(async () => {
      await sql.end();
      await registry.kill('SIGTERM');
      await upstream.down();
      await people.stop();
      await database.drop();
      await blobs.close();
      await removeStore(store);
    });

    const authorization = (): string => `Bearer ${people.developer}`;
    const ask = async (path: string, method = 'GET'): Promise<number> => {
      const headers = { authorization: authorization() };
      const response = await fetch(new URL(path, registry.url), { method, headers });
      await response.arrayBuffer();
      return response.status;
    };
    /** Leases end at once, as if a day had passed. */
    const age = () =>
      sql.query(
        `UPDATE blob_links l SET linked_at = now() - interval '1 day' WHERE linked_at > now() - interval '1 hour'
       AND NOT EXISTS (SELECT FROM manifest_parts p WHERE p.digest = l.digest)`,
      );
    const collect = () => people.rpc.call(registryRpc.collect, { graceSeconds: 600 }, people.admin);

    async function pushAndDelete(repository: string): Promise<void> {
      const layers = shared.filter(() => Math.random() < 0.5);
      const files = { '/unique': randomBytes(100_000).toString('hex') };
      const image = await makeImage({ name: 'acme/x', busybox: false, layers, files });
      const tag = `t${Math.floor(Math.random() * 5)}`;
      await pushImage(image, registry.url, { repository, tag, authorization: authorization() });
      if (Math.random() < 0.5) await ask(`/v2/${repository}/manifests/${image.digest}`, 'DELETE');
    }
    async function pull(): Promise<void> {
      const image = await newImage(300_000);
      await ask(manifestPath(image));
      await ask(blobPath(image));
    }

    /** Works until it is killed: what fails then is no fault. */
    async function work(signal: AbortSignal): Promise<void> {
      // An answer over NATS may be waited for long after nobody is there to give it.
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      const on = async (step: () => Promise<unknown>): Promise<void> => {
        while (!signal.aborted) await Promise.race([step().catch(() => delay(5)), aborted]);
      };
      await Promise.all([
        ...REPOSITORIES.map((repository) => on(() => pushAndDelete(repository))),
        on(pull),
        on(age),
        on(collect),
      ]);
    }

    const fileOf = (digest: string): string =>
      join(store, 'blobs', 'sha256', digest.slice(7, 9), digest.slice(7));
    async function storedDigests(): Promise<Digest[]> {
      const digests: Digest[] = [];
      for await (const digest of blobs.storedBefore(new Date(Date.now() + 60_000))) digests.push(digest);
      return digests.sort();
    }
    async function contentOf(digest: Digest): Promise<Buffer> {
      const blob = await blobs.open(digest);
      if (blob === null) throw new Error(`${digest} is named and not there`);
      const content = Buffer.alloc(blob.size);
      for (let at = 0, got = 1; got > 0; at += got) got = await blob.read(content.subarray(at), at);
      await blob.close();
      return content;
    }
    const column = async (query: string): Promise<string[]> =>
      (await sql.query<{ digest: string }>(query)).rows.map(({ digest }) => digest);

    async function expectSound(): Promise<void> {
      const stored = new Set<string>();
      for (const digest of await storedDigests()) {
        stored.add(digest);
        expect(digestOf(await contentOf(digest))).toBe(digest);
      }
      // Hosted: all that a manifest names is there, and its repository's. Pulled through: what is not here is asked for again.
      const named = await column(
        `SELECT DISTINCT p.digest FROM manifest_parts p JOIN repositories r ON r.name = p.repository WHERE r.team IS NOT NULL`,
      );
      const held = await column(
        'SELECT DISTINCT digest FROM manifests UNION SELECT DISTINCT digest FROM blob_links',
      );
      expect([...named, ...held].filter((digest) => !stored.has(digest))).toEqual([]);
      const unlinked = await column(
        `SELECT p.digest FROM manifest_parts p JOIN repositories r ON r.name = p.repository WHERE r.team IS NOT NULL
       AND NOT EXISTS (SELECT FROM blob_links l WHERE l.repository = p.repository AND l.digest = p.digest)`,
      );
      expect(unlinked).toEqual([]);
      expect((await sql.query(MISCOUNTED)).rows).toEqual([]);
    }

    it(`keeps what it acknowledged and nothing broken, ${KILLS} times`, async () => {
      let pushed: string[] = [];
      // However slow the machine and the storage are: what is never whole cannot be broken.
      for (let round = 0; round < KILLS || (pushed.length === 0 && round < MOST * KILLS); round += 1) {
        const stop = new AbortController();
        const working = work(stop.signal);
        await delay(slowness * (100 + Math.random() * 900));
        await registry.kill();
        stop.abort();
        await working;
        await expectSound();
        pushed = await column('SELECT digest FROM manifests');
        await registry.start();
      }
      expect(pushed.length).toBeGreaterThan(0);
      // And the next sweep leaves no orphan.
      await age();
      if (kind === 'files')
        for (const digest of await storedDigests()) await utimes(fileOf(digest), new Date(0), new Date(0));
      await collect();
      await expectSound();
      // The age of an object cannot be set: what a crash left there waits for its time.
      if (kind === 'objects') return;
      expect(await storedDigests()).toEqual((await column('SELECT digest FROM blobs')).sort());
      const named = await column(
        'SELECT digest FROM blobs b WHERE EXISTS (SELECT FROM manifests m WHERE m.digest = b.digest) OR EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest)',
      );
      expect(named.sort()).toEqual(await storedDigests());
    });
  },
);
