import { createHash, randomBytes } from 'node:crypto';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const [REPOSITORY, OTHER] = ['acme/conformance/one', 'acme/conformance/two'];

type Algorithm = 'sha256' | 'sha512';
interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}
interface Pushed {
  descriptor: Descriptor;
  bytes: Buffer;
}

/** What the OCI distribution spec 1.1 and the one after it ask of a registry, in the order of its conformance suite. */
describe('a registry by the book', () => {
  let people: People;
  let registry: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({ token: people.developer });
  });
  afterAll(async () => {
    await registry.stop();
    await people.stop();
  });

  const digest = (bytes: Buffer, algorithm: Algorithm = 'sha256'): string =>
    `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  const ask = (method: string, path: string, more: RequestInit = {}): Promise<Response> =>
    registry.fetch(path, { method, ...more });
  const at = (
    kind: 'blobs' | 'manifests' | 'referrers',
    reference: string,
    repository = REPOSITORY,
  ): string => `/v2/${repository}/${kind}/${reference}`;
  const code = async (response: Response): Promise<[number, string]> => [
    response.status,
    ((await response.json()) as { errors: { code: string }[] }).errors[0].code,
  ];
  const start = async (repository = REPOSITORY, query = ''): Promise<string> => {
    const response = await ask('POST', `/v2/${repository}/blobs/uploads/${query}`);
    expect(response.status).toBe(202);
    return response.headers.get('location') ?? '';
  };
  const finish = (location: string, of: string, body: Buffer = Buffer.alloc(0)): Promise<Response> =>
    ask('PUT', `${location}?digest=${of}`, { body });
  const chunk = (location: string, body: Buffer, from: number, method = 'PATCH'): Promise<Response> =>
    ask(method, location, { body, headers: { 'content-range': `${from}-${from + body.length - 1}` } });

  /** A body whose length is not told before, as of the suite's client. */
  const streamed = (body: Buffer): RequestInit => ({ body: new Blob([body]).stream(), duplex: 'half' });

  async function pushBlob(
    bytes: Buffer,
    algorithm: Algorithm = 'sha256',
    repository = REPOSITORY,
  ): Promise<string> {
    const of = digest(bytes, algorithm);
    const response = await finish(await start(repository), of, bytes);
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, of]);
    return of;
  }
  async function expectBlob(bytes: Buffer, of: string, location = at('blobs', of)): Promise<void> {
    for (const method of ['HEAD', 'GET']) {
      const response = await ask(method, location);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe(String(bytes.length));
      expect(response.headers.get('docker-content-digest')).toBe(of);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(method === 'HEAD' ? Buffer.alloc(0) : bytes);
    }
  }
  async function removeBlob(of: string, repository = REPOSITORY): Promise<void> {
    expect((await ask('DELETE', at('blobs', of, repository))).status).toBe(202);
    expect((await ask('HEAD', at('blobs', of, repository))).status).toBe(404);
  }
  async function expectManifest({ descriptor, bytes }: Pushed, reference = descriptor.digest): Promise<void> {
    for (const method of ['HEAD', 'GET']) {
      const response = await ask(method, at('manifests', reference), {
        headers: { accept: descriptor.mediaType },
      });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(descriptor.mediaType);
      expect(response.headers.get('content-length')).toBe(String(bytes.length));
      expect(response.headers.get('docker-content-digest')).toBe(descriptor.digest);
      if (method === 'GET') expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    }
  }
  async function removeManifest(reference: string): Promise<void> {
    expect((await ask('DELETE', at('manifests', reference))).status).toBe(202);
    expect((await ask('HEAD', at('manifests', reference))).status).toBe(404);
  }

  /** Puts a manifest by its digest. */
  async function put(
    document: object,
    algorithm: Algorithm = 'sha256',
    query = '',
  ): Promise<Pushed & { headers: Headers }> {
    const bytes = Buffer.from(JSON.stringify(document));
    const mediaType = (document as { mediaType: string }).mediaType;
    const of = digest(bytes, algorithm);
    const response = await ask('PUT', at('manifests', of) + query, {
      ...streamed(bytes),
      headers: { 'content-type': mediaType },
    });
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, of]);
    const pushed = { descriptor: { mediaType, digest: of, size: bytes.length }, bytes };
    await expectManifest(pushed);
    expect(response.headers.get('location')).toBe(at('manifests', of));
    return { ...pushed, headers: response.headers };
  }
  const descriptor = async (
    bytes: Buffer,
    mediaType: string,
    algorithm?: Algorithm,
  ): Promise<Descriptor> => ({
    ...{ mediaType, digest: await pushBlob(bytes, algorithm), size: bytes.length },
  });
  /** A manifest of an image whose parts are there. */
  async function image(more: object = {}, algorithm: Algorithm = 'sha256', layers = 2): Promise<object> {
    const config = await descriptor(
      Buffer.from(JSON.stringify({ id: randomBytes(8).toString('hex') })),
      CONFIG,
      algorithm,
    );
    const all: Descriptor[] = [];
    for (let n = 0; n < layers; n += 1) all.push(await descriptor(randomBytes(100), LAYER, algorithm));
    return { schemaVersion: 2, mediaType: MANIFEST, config, layers: all, ...more };
  }
  const index = (manifests: Descriptor[], more: object = {}): object => ({
    ...{ schemaVersion: 2, mediaType: INDEX, manifests },
    ...more,
  });

  it('answers a ping, and about a repository that is not there', async () => {
    expect((await ask('GET', '/v2/')).status).toBe(200);
    expect(await code(await ask('GET', '/v2/acme/nothing/tags/list'))).toEqual([404, 'NAME_UNKNOWN']);
    const referrers = await ask('GET', at('referrers', digest(randomBytes(8)), 'acme/nothing'));
    expect([referrers.status, referrers.headers.get('content-type')]).toEqual([200, INDEX]);
    expect(await referrers.json()).toEqual({ schemaVersion: 2, mediaType: INDEX, manifests: [] });
  });

  describe.each(['sha256', 'sha512'] as const)('with blobs by %s', (algorithm) => {
    const bytes = (size = 512): { bytes: Buffer; of: string } => {
      const made = randomBytes(size);
      return { bytes: made, of: digest(made, algorithm) };
    };

    it('has none that was not pushed', async () => {
      await start();
      expect(await code(await ask('GET', at('blobs', bytes().of)))).toEqual([404, 'BLOB_UNKNOWN']);
      expect((await ask('DELETE', at('blobs', bytes().of))).status).toBe(404);
    });

    it('takes one in a POST alone, in a POST and a PUT, as a stream', async () => {
      const [alone, put, stream] = [bytes(), bytes(), bytes()];
      const posted = await ask('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${alone.of}`, {
        body: alone.bytes,
      });
      expect([posted.status, posted.headers.get('location')]).toEqual([201, at('blobs', alone.of)]);
      await pushBlob(put.bytes, algorithm);
      const location = await start(REPOSITORY, `?digest-algorithm=${algorithm}`);
      const patched = await ask('PATCH', location, streamed(stream.bytes));
      expect(patched.status).toBe(202);
      expect((await finish(patched.headers.get('location') ?? '', stream.of)).status).toBe(201);
      for (const blob of [alone, put, stream]) {
        await expectBlob(blob.bytes, blob.of);
        await removeBlob(blob.of);
      }
    });

    it.each([false, true])(
      'takes one in chunks, and refuses what is out of order (the last with PUT: %s)',
      async (last) => {
        const blob = bytes(3_067);
        let location = await start();
        for (let from = 0; from < blob.bytes.length; from += 1_024) {
          const part = blob.bytes.subarray(from, from + 1_024);
          const ahead = from + 1_024 < blob.bytes.length ? from + 1_024 : 0;
          const other = blob.bytes.subarray(ahead, ahead + 1_024);
          const asLast = last && ahead + other.length === blob.bytes.length;
          const query = asLast ? `?digest=${blob.of}` : '';
          const wrong = await chunk(location + query, other, ahead, asLast ? 'PUT' : 'PATCH');
          // Nothing has arrived before the first: a chunk that begins at 0 is in order then.
          if (ahead !== from) expect([wrong.status, wrong.headers.get('location')]).toEqual([416, location]);
          const state = await ask('GET', location + query);
          expect(state.status).toBe(204);
          expect(state.headers.get('range')).toBe(`0-${Math.max(0, from - 1)}`);
          if (last && from + 1_024 >= blob.bytes.length) {
            const done = await chunk(`${location}?digest=${blob.of}`, part, from, 'PUT');
            expect(done.status).toBe(201);
          } else {
            const taken = await chunk(location, part, from);
            expect(taken.status).toBe(202);
            location = taken.headers.get('location') ?? '';
          }
        }
        if (!last) expect((await finish(location, blob.of)).status).toBe(201);
        await expectBlob(blob.bytes, blob.of);
        await removeBlob(blob.of);
      },
    );

    it('mounts one from a repository that is named, or from any that its client may read', async () => {
      const [named, anonymous, missing] = [bytes(), bytes(), bytes()];
      for (const blob of [named, anonymous]) await pushBlob(blob.bytes, algorithm, OTHER);
      for (const [blob, query] of [[named, `&from=${OTHER}`] as const, [anonymous, ''] as const]) {
        const mounted = await ask('POST', `/v2/${REPOSITORY}/blobs/uploads/?mount=${blob.of}${query}`);
        expect([mounted.status, mounted.headers.get('location')]).toEqual([201, at('blobs', blob.of)]);
        await expectBlob(blob.bytes, blob.of);
        await removeBlob(blob.of);
        expect((await ask('HEAD', at('blobs', blob.of, OTHER))).status).toBe(200);
        await removeBlob(blob.of, OTHER);
      }
      await start(REPOSITORY, `?mount=${missing.of}&from=${OTHER}`);
      await start(REPOSITORY, `?mount=${missing.of}`);
    });

    it('gives up an upload', async () => {
      const location = await start();
      expect((await ask('DELETE', location)).status).toBe(204);
      expect(await code(await ask('GET', location))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    });

    it('gives out parts', async () => {
      const { bytes: all, of } = bytes(2_048);
      await pushBlob(all, algorithm);
      const part = (range: string): Promise<Response> => ask('GET', at('blobs', of), { headers: { range } });
      for (const [range, from, to] of [
        ['bytes=500-1499', 500, 1_499],
        ['bytes=500-', 500, 2_047],
        ['bytes=-500', 1_548, 2_047],
        ['bytes=2000-5000', 2_000, 2_047],
      ] as const) {
        const response = await part(range);
        expect([response.status, response.headers.get('content-range')]).toEqual([
          206,
          `bytes ${from}-${to}/2048`,
        ]);
        expect(Buffer.from(await response.arrayBuffer())).toEqual(all.subarray(from, to + 1));
      }
      for (const range of ['bytes=500-0', 'bytes=5000-10000']) expect((await part(range)).status).toBe(416);
      await removeBlob(of);
    });

    it.each(['', '{}'])('takes %j', async (text) => {
      const blob = Buffer.from(text);
      await pushBlob(blob, algorithm);
      await expectBlob(blob, digest(blob, algorithm));
      await removeBlob(digest(blob, algorithm));
    });

    it('refuses what has another digest, however it comes', async () => {
      const { bytes: other, of } = bytes();
      const wrong = Buffer.concat([other, Buffer.from('oh no')]);
      const refused = [400, 'DIGEST_INVALID'];
      const alone = await ask('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${of}`, { body: wrong });
      expect(await code(alone)).toEqual(refused);
      expect(await code(await finish(await start(), of, wrong))).toEqual(refused);
      const location = await start();
      expect((await chunk(location, wrong.subarray(0, 300), 0)).status).toBe(202);
      expect((await chunk(location, wrong.subarray(300), 300)).status).toBe(202);
      expect(await code(await finish(location, of))).toEqual(refused);
      expect((await ask('HEAD', at('blobs', of))).status).toBe(404);
    });
  });

  describe('with manifests', () => {
    it('takes images of all kinds, byte for byte, and lets go of them from the top', async () => {
      const annotations = Object.fromEntries(
        Array.from({ length: 390 }, (_, n) => [`large-annotation-${n}`, 'A'.repeat(10_000)]),
      );
      const away = randomBytes(8);
      const layers = [
        {
          ...{ mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', size: 123_456 },
          ...{ digest: digest(away), urls: [`https://store.example.com/${digest(away)}`] },
        },
      ];
      const data = Buffer.from('{}');
      const empty = { ...(await descriptor(data, EMPTY)), data: data.toString('base64') };
      const kinds = [
        await image(),
        await image({ annotations }),
        await image({ layers: [] }),
        await image({ layers }),
        await image({ config: empty, layers: [empty], artifactType: 'application/vnd.example.one' }),
        { org: { example: 'of no spec' }, ...(await image()), 'x-more': [1, null] },
      ];
      for (const kind of kinds) {
        const pushed = await put(kind);
        await removeManifest(pushed.descriptor.digest);
      }
    });

    it('takes indexes, of indexes too, and empty ones', async () => {
      const platform = { os: 'linux', architecture: 'arm64' };
      const images = [await put(await image()), await put(await image())];
      const [first, second] = images.map(({ descriptor: of }) => ({ ...of, platform }));
      const inner = await put(index([first, second]));
      const outer = await put(index([inner.descriptor]));
      const nothing = await put(index([]));
      expect((await ask('DELETE', at('manifests', inner.descriptor.digest))).status).toBe(405);
      for (const { descriptor: of } of [outer, nothing, inner, ...images]) await removeManifest(of.digest);
    });

    it('goes by sha512 where it is pushed so', async () => {
      const child = await put(await image({}, 'sha512'), 'sha512');
      const parent = await put(index([child.descriptor]), 'sha512', '?tag=five&tag=twelve');
      expect(parent.headers.get('oci-tag')).toBe('five, twelve');
      await expectManifest(parent, 'five');
      for (const { descriptor: of } of [parent, child]) await removeManifest(of.digest);
      expect((await ask('HEAD', at('manifests', 'twelve'))).status).toBe(404);
    });

    it('takes tags along with a digest, and lists them', async () => {
      const pushed = await put(await image(), 'sha256', '?tag=b&tag=a&tag=b');
      expect(pushed.headers.get('oci-tag')).toBe('b, a');
      const listed = async (query = ''): Promise<unknown> =>
        ((await (await ask('GET', `/v2/${REPOSITORY}/tags/list${query}`)).json()) as { tags: unknown }).tags;
      expect(await listed()).toEqual(['a', 'b']);
      expect(await listed('?last=a')).toEqual(['b']);
      expect(await listed('?n=0')).toEqual([]);
      for (const tag of ['a', 'b']) {
        await expectManifest(pushed, tag);
        await removeManifest(tag);
      }
      expect(
        await code(await ask('PUT', `${at('manifests', pushed.descriptor.digest)}?tag=-no`, { body: '{}' })),
      ).toEqual([400, 'MANIFEST_INVALID']);
      await removeManifest(pushed.descriptor.digest);
    });

    it('refuses what has another digest, and what is no digest', async () => {
      const bytes = Buffer.from(JSON.stringify(await image()));
      const headers = { 'content-type': MANIFEST };
      const of = digest(Buffer.from('other'));
      expect((await ask('PUT', at('manifests', of), { body: bytes, headers })).status).toBe(400);
      expect((await ask('PUT', at('manifests', 'sha256:baddigest'), { body: bytes, headers })).status).toBe(
        400,
      );
      expect([400, 404]).toContain((await ask('GET', at('manifests', 'sha256:baddigest'))).status);
      expect((await ask('GET', at('manifests', of))).status).toBe(404);
      expect((await ask('GET', at('manifests', 'missing'))).status).toBe(404);
      expect(await code(await ask('GET', at('referrers', 'sha256:baddigest')))).toEqual([
        400,
        'DIGEST_INVALID',
      ]);
    });

    it('keeps a blob that a manifest names', async () => {
      const document = (await image()) as { layers: Descriptor[] };
      const pushed = await put(document);
      const layer = document.layers[0].digest;
      expect(await code(await ask('DELETE', at('blobs', layer)))).toEqual([405, 'UNSUPPORTED']);
      await removeManifest(pushed.descriptor.digest);
      await removeBlob(layer);
    });
  });

  describe('with referrers', () => {
    const annotations = { 'org.example.note': 'hello' };
    const referrers = async (
      of: string,
      query = '',
    ): Promise<{ manifests: Descriptor[]; headers: Headers }> => {
      const response = await ask('GET', at('referrers', of) + query);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, INDEX]);
      const { manifests } = (await response.json()) as { manifests: Descriptor[] };
      return { manifests, headers: response.headers };
    };
    const byDigest = (list: Descriptor[]): Descriptor[] =>
      [...list].sort((left, right) => (left.digest < right.digest ? -1 : 1));

    it('lists what is about a manifest, of all types or of one, also of one that is not there', async () => {
      const about = await put(await image());
      const missing = { mediaType: MANIFEST, digest: digest(randomBytes(8)), size: 123 };
      for (const subject of [about.descriptor, missing]) {
        const plain = await put(await image({ subject }));
        const one = await put(
          await image({ subject, annotations, artifactType: 'application/vnd.example.one' }),
        );
        const two = await put(
          index([], { subject, annotations, artifactType: 'application/vnd.example.two' }),
        );
        for (const { headers } of [plain, one, two]) expect(headers.get('oci-subject')).toBe(subject.digest);
        const told = [
          { ...plain.descriptor, artifactType: CONFIG },
          { ...one.descriptor, artifactType: 'application/vnd.example.one', annotations },
          { ...two.descriptor, artifactType: 'application/vnd.example.two', annotations },
        ];
        const all = await referrers(subject.digest);
        expect(all.manifests).toEqual(byDigest(told));
        expect(all.headers.get('oci-filters-applied')).toBeNull();
        for (const entry of told) {
          const some = await referrers(
            subject.digest,
            `?artifactType=${encodeURIComponent(entry.artifactType)}`,
          );
          expect(some.manifests).toEqual([entry]);
          expect(some.headers.get('oci-filters-applied')).toBe('artifactType');
        }
        for (const { descriptor: of } of [plain, one, two]) await removeManifest(of.digest);
        expect((await referrers(subject.digest)).manifests).toEqual([]);
      }
      await removeManifest(about.descriptor.digest);
    });

    it('lists very many in pages', async () => {
      const subject = { mediaType: MANIFEST, digest: digest(randomBytes(8)), size: 1 };
      await registry.query(
        `INSERT INTO blobs (digest, size) SELECT 'sha256:' || lpad(to_hex(n), 64, '0'), 1 FROM generate_series(1, 1500) n`,
      );
      await registry.query(
        `INSERT INTO manifests (repository, digest, media_type, size, subject, artifact_type)
         SELECT $1, 'sha256:' || lpad(to_hex(n), 64, '0'), $2, 1, $3, 'application/vnd.example.one' FROM generate_series(1, 1500) n`,
        [REPOSITORY, MANIFEST, subject.digest],
      );
      const first = await referrers(subject.digest, '?artifactType=application/vnd.example.one');
      expect(first.manifests).toHaveLength(1_000);
      const [, next] = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? [];
      const second = (await (await ask('GET', next)).json()) as { manifests: Descriptor[] };
      expect(second.manifests).toHaveLength(500);
      expect(new Set([...first.manifests, ...second.manifests].map(({ digest: of }) => of)).size).toBe(1_500);
    });
  });
});
