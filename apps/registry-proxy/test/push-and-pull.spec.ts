import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { eventually, makeImage, pushImage, type TestImage } from '@berth/testing';

import { People } from './people.js';
import { Told } from './told.js';
import { RegistryUnderTest } from './registry-under-test.js';

const UNKNOWN = `sha256:${'0'.repeat(64)}`;

describe.each(['files', 'objects'] as const)('hosted images on %s', (store) => {
  let people: People;
  let registry: RegistryUnderTest;
  let told: Told;
  let image: TestImage;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({ token: people.developer, store });
    told = await Told.start();
    image = await makeImage({ name: 'acme/web', files: { '/hello.txt': 'hello' }, labels: { team: 'acme' } });
    await pushImage(image, registry.url, { authorization: `Bearer ${people.developer}` });
  });
  afterAll(async () => {
    await told.stop();
    await registry.stop();
    await people.stop();
  });

  const errors = async (response: Response): Promise<{ code: string; message: string }[]> =>
    ((await response.json()) as { errors: { code: string; message: string }[] }).errors;

  /** `fetch` tidies paths up before it sends them. */
  const rawGet = (path: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(registry.url);
      get({ hostname, port, path, headers: { authorization: `Bearer ${people.developer}` } }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      }).on('error', reject);
    });

  it('are pulled by tag and by digest, byte for byte', async () => {
    for (const reference of [image.tag, image.digest]) {
      const pulled = await registry.fetch(`/v2/acme/web/manifests/${reference}`);
      expect(pulled.status).toBe(200);
      expect(await pulled.text()).toBe(image.manifest);
      expect(pulled.headers.get('content-type')).toBe(image.mediaType);
      expect(pulled.headers.get('docker-content-digest')).toBe(image.digest);

      const head = await registry.fetch(`/v2/acme/web/manifests/${reference}`, { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(head.headers.get('content-length')).toBe(String(image.manifest.length));
      expect(head.headers.get('docker-content-digest')).toBe(image.digest);
      expect(await head.text()).toBe('');
    }
  });

  it('have blobs that are read whole and in ranges', async () => {
    const { digest, content } = image.layers[0]!;
    const path = `/v2/acme/web/blobs/${digest}`;
    const whole = await registry.fetch(path);
    expect(whole.status).toBe(200);
    expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');

    const head = await registry.fetch(path, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(content.length));

    for (const [range, from, to] of [
      ['bytes=0-0', 0, 1],
      ['bytes=100-199', 100, 200],
      [`bytes=${content.length - 5}-`, content.length - 5, content.length],
      ['bytes=-7', content.length - 7, content.length],
      [`bytes=10-${content.length * 2}`, 10, content.length],
    ] as const) {
      const part = await registry.fetch(path, { headers: { range } });
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/${content.length}`);
      expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(from, to))).toBe(true);
    }
    const outside = await registry.fetch(path, { headers: { range: `bytes=${content.length}-` } });
    expect(outside.status).toBe(416);
    expect(outside.headers.get('content-range')).toBe(`bytes */${content.length}`);
    const severalRanges = await registry.fetch(path, { headers: { range: 'bytes=0-1,5-6' } });
    expect(severalRanges.status).toBe(200);
    await severalRanges.arrayBuffer();
  });

  it('are listed by tag, in byte order and in pages', async () => {
    for (const tag of ['b', 'a', 'B', '10', '9']) {
      await pushImage(image, registry.url, {
        tag,
        repository: 'acme/listed',
        authorization: `Bearer ${people.developer}`,
      });
    }
    const all = ['10', '9', 'B', 'a', 'b'];
    const list = async (query: string): Promise<{ tags: string[]; link: string | null }> => {
      const response = await registry.fetch(`/v2/acme/listed/tags/list${query}`);
      expect(response.status).toBe(200);
      const { tags } = (await response.json()) as { tags: string[] };
      return { tags, link: response.headers.get('link') };
    };
    expect(await list('')).toEqual({ tags: all, link: null });
    expect(await list('?n=0')).toEqual({ tags: [], link: null });
    expect((await list('?n=2')).tags).toEqual(['10', '9']);
    const next = /<(.+)>; rel="next"/.exec((await list('?n=2')).link ?? '')?.[1] ?? '';
    expect((await list(next.slice(next.indexOf('?')))).tags).toEqual(['B', 'a']);
    expect((await list('?last=a')).tags).toEqual(['b']);
    expect((await registry.fetch('/v2/acme/listed/tags/list?n=99999999999999999999')).status).toBe(400);
    expect((await registry.fetch('/v2/acme/listed/tags/list?n=-1')).status).toBe(400);
  });

  it('say what is missing in the words of the spec', async () => {
    const cases: [string, number, string][] = [
      ['/v2/acme/none/manifests/1', 404, 'NAME_UNKNOWN'],
      ['/v2/acme/web/manifests/none', 404, 'MANIFEST_UNKNOWN'],
      [`/v2/acme/web/manifests/${UNKNOWN}`, 404, 'MANIFEST_UNKNOWN'],
      [`/v2/acme/web/blobs/${UNKNOWN}`, 404, 'BLOB_UNKNOWN'],
      ['/v2/acme/web/blobs/sha256:short', 400, 'DIGEST_INVALID'],
      ['/v2/acme/none/tags/list', 404, 'NAME_UNKNOWN'],
      ['/v2/web/manifests/1', 400, 'NAME_INVALID'],
      ['/v2/ghcr.io/owner/app/manifests/1', 404, 'NAME_UNKNOWN'],
      ['/v2/acme/web/nothing', 404, 'NAME_UNKNOWN'],
    ];
    for (const [path, status, code] of cases) {
      const response = await registry.fetch(path);
      expect([path, response.status, (await errors(response))[0]!.code]).toEqual([path, status, code]);
    }
    const unknown = await registry.fetch('/v2/acme/web/tags/list', { method: 'PATCH' });
    expect(unknown.status).toBe(405);
    expect(unknown.headers.get('allow')).toContain('GET');
  });

  it.each([
    '/v2/acme/../../etc/passwd/manifests/1',
    '/v2/acme/%2e%2e/%2e%2e/etc/passwd/manifests/1',
    '/v2/acme/..%2f..%2fetc/manifests/1',
    '/v2/acme/web%00/manifests/1',
    `/v2/%2e%2e/blobs/${UNKNOWN}`,
    '/v2/acme/web/manifests/..%2f..%2fetc%2fpasswd',
    '/v2/acme/web/blobs/sha256:..%2f..%2fetc',
    '/v2/acme/web/blobs/uploads/..%2f..%2fetc',
  ])('stay within their store: %s', async (path) => {
    const { status, body } = await rawGet(path);
    expect([400, 404]).toContain(status);
    expect(body).toMatch(/"code":"(NAME|MANIFEST|DIGEST|BLOB_UPLOAD)_(INVALID|UNKNOWN)"/);
  });

  it('need a token, by Bearer or as the password of Basic', async () => {
    const nobody = await registry.fetch('/v2/', { as: null });
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="http:\/\/127\.0\.0\.1:\d+\/token",service="berth"$/,
    );
    expect((await errors(nobody))[0]!.code).toBe('UNAUTHORIZED');
    expect((await registry.fetch('/v2/')).status).toBe(200);
    const basic = (password: string): Promise<Response> =>
      registry.fetch('/v2/', {
        as: null,
        headers: { authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}` },
      });
    expect((await basic(people.developer)).status).toBe(200);
    expect((await basic('wrong')).status).toBe(401);
    expect((await basic('')).status).toBe(401);
    expect((await registry.fetch('/v2/', { as: 'x'.repeat(2_000) })).status).toBe(401);
    expect((await registry.fetch(`/v2/acme/web/manifests/${image.tag}`, { as: null })).status).toBe(401);
  });

  it('are not there for other teams, and denied ones say why', async () => {
    const hidden = await registry.fetch(`/v2/acme/web/manifests/${image.tag}`, { as: people.stranger });
    expect(hidden.status).toBe(404);
    expect((await errors(hidden))[0]!.code).toBe('NAME_UNKNOWN');
    expect(
      (await registry.fetch(`/v2/acme/web/blobs/${image.config.digest}`, { as: people.stranger })).status,
    ).toBe(404);
    expect((await registry.fetch('/v2/acme/web/tags/list', { as: people.stranger })).status).toBe(404);

    const denied = await registry.fetch('/v2/acme/blocked/blobs/uploads/', { method: 'POST' });
    expect(denied.status).toBe(403);
    const [error] = await errors(denied);
    expect(error!.code).toBe('DENIED');
    expect(error!.message).toContain('no-blocked-images: Images called blocked are not for use.');
    const viewer = await registry.fetch('/v2/acme/web/blobs/uploads/', {
      method: 'POST',
      as: people.viewer,
    });
    expect(viewer.status).toBe(403);
  });

  it('are recorded when pushed, pulled and denied, with the facts that policy judged', async () => {
    const resource = { type: 'Image', id: 'acme/web' };
    const facts = { registry: 'berth', repository: 'acme/web', reference: image.tag };
    await eventually(async () => {
      const { records, events } = await told.refresh();
      const of = (action: string, outcome: string) =>
        records.filter((record) => record.action === action && record.outcome === outcome);
      expect(of('image.push', 'succeeded')[0]).toMatchObject({
        kind: 'change',
        actor: 'ann',
        team: 'acme',
        resource,
        request: facts,
      });
      expect(of('image.pull', 'succeeded')[0]).toMatchObject({
        kind: 'read',
        actor: 'ann',
        team: 'acme',
        resource,
        request: facts,
      });
      expect(of('image.pull', 'denied')[0]).toMatchObject({ actor: 'olga', resource, code: 'NOT_FOUND' });
      expect(of('image.push', 'denied')[0]).toMatchObject({
        code: 'POLICY_DENIED',
        policies: [{ id: 'no-blocked-images', message: 'Images called blocked are not for use.' }],
      });
      expect(events.find(({ type }) => type === 'image.pushed.v1')?.data).toEqual({
        repository: 'acme/web',
        reference: image.tag,
        digest: image.digest,
        mediaType: image.mediaType,
        size: image.manifest.length,
      });
      // One for the manifest, none for each blob of it.
      expect(
        of('image.pull', 'succeeded').every(({ request }) => request.reference !== image.config.digest),
      ).toBe(true);
    });
  });
});
