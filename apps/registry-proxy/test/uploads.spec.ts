import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@berth/testing';

import { Uploads } from '../src/push/uploads.js';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

describe('pushing', () => {
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

  const code = async (response: Response): Promise<string> =>
    ((await response.json()) as { errors: { code: string }[] }).errors[0]!.code;
  const begin = async (repository = 'acme/app'): Promise<string> => {
    const response = await registry.fetch(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    expect(response.status).toBe(202);
    return response.headers.get('location')!;
  };
  const put = (location: string, digest: string, body?: Buffer): Promise<Response> =>
    registry.fetch(`${location}?digest=${digest}`, {
      method: 'PUT',
      ...(body ? { body: new Uint8Array(body) } : {}),
    });
  const patch = (location: string, body: Buffer, range?: string, at = registry): Promise<Response> =>
    at.fetch(location, {
      method: 'PATCH',
      body: new Uint8Array(body),
      headers: range === undefined ? {} : { 'content-range': range },
    });
  const blob = async (content: Buffer, repository = 'acme/app'): Promise<string> => {
    const digest = digestOf(content);
    expect((await put(await begin(repository), digest, content)).status).toBe(201);
    return digest;
  };
  const read = async (digest: string, repository = 'acme/app'): Promise<Buffer> =>
    Buffer.from(await (await registry.fetch(`/v2/${repository}/blobs/${digest}`)).arrayBuffer());
  const putManifest = (
    manifest: object | string,
    { reference = '1', type = OCI_MANIFEST, repository = 'acme/app' } = {},
  ): Promise<Response> =>
    registry.fetch(`/v2/${repository}/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': type },
      body: typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
    });
  const descriptor = (content: Buffer, digest = digestOf(content)): object => ({
    mediaType: 'application/octet-stream',
    digest,
    size: content.length,
  });

  it('takes a blob in one request', async () => {
    const content = randomBytes(10_000);
    const response = await registry.fetch(`/v2/acme/app/blobs/uploads/?digest=${digestOf(content)}`, {
      method: 'POST',
      body: new Uint8Array(content),
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('docker-content-digest')).toBe(digestOf(content));
    expect((await read(digestOf(content))).equals(content)).toBe(true);
  });

  it('takes a blob in chunks, says how far it is, and refuses chunks out of order', async () => {
    const content = randomBytes(3_000);
    const location = await begin();
    const first = await patch(location, content.subarray(0, 1_000), '0-999');
    expect(first.status).toBe(202);
    expect(first.headers.get('range')).toBe('0-999');

    const status = await registry.fetch(location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-999']);

    const early = await patch(location, content.subarray(2_000), '2000-2999');
    expect([early.status, early.headers.get('range')]).toEqual([416, '0-999']);
    const forged = await patch(location, content.subarray(1_000, 2_000), '1000-1100');
    expect([forged.status, await code(forged)]).toEqual([400, 'SIZE_INVALID']);
    const malformed = await patch(location, content.subarray(1_000, 2_000), 'bytes=-5');
    expect([malformed.status, await code(malformed)]).toEqual([400, 'BLOB_UPLOAD_INVALID']);

    expect((await patch(location, content.subarray(1_000, 2_000), '1000-1999')).status).toBe(202);
    expect((await put(location, digestOf(content), content.subarray(2_000))).status).toBe(201);
    expect((await read(digestOf(content))).equals(content)).toBe(true);
    expect((await registry.fetch(location)).status).toBe(404);
  });

  it('refuses content of another digest, and keeps nothing of it', async () => {
    const location = await begin();
    const wrong = digestOf(Buffer.from('something else'));
    const response = await put(location, wrong, Buffer.from('content'));
    expect([response.status, await code(response)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await registry.fetch(`/v2/acme/app/blobs/${wrong}`)).status).toBe(404);
    expect((await registry.fetch(location)).status).toBe(404);
    expect((await put(await begin(), 'sha256:short')).status).toBe(400);
  });

  it('takes the empty blob', async () => {
    const digest = await blob(Buffer.alloc(0));
    const response = await registry.fetch(`/v2/acme/app/blobs/${digest}`);
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('cancels an upload', async () => {
    const location = await begin();
    expect((await registry.fetch(location, { method: 'DELETE' })).status).toBe(204);
    expect((await registry.fetch(location)).status).toBe(404);
  });

  it('goes on in another instance, and after a connection that broke', async () => {
    const other = await RegistryUnderTest.start({ beside: registry });
    try {
      const content = randomBytes(500_000);
      const location = await begin();
      await new Promise<void>((resolve) => {
        const broken = request(new URL(location, registry.url), {
          method: 'PATCH',
          headers: { authorization: `Bearer ${people.developer}`, 'content-length': content.length },
        });
        broken.on('error', () => resolve());
        broken.write(content.subarray(0, 200_000), () => broken.destroy());
      });
      const kept = await eventually(async () => {
        const range = (await other.fetch(location)).headers.get('range');
        expect(range).toBe('0-199999');
        return Number(range!.split('-')[1]) + 1;
      });
      const rest = content.subarray(kept);
      const continued = await patch(location, rest, `${kept}-${content.length - 1}`, other);
      expect(continued.status).toBe(202);
      expect((await put(location, digestOf(content))).status).toBe(201);
      expect((await read(digestOf(content))).equals(content)).toBe(true);
    } finally {
      await other.stop();
    }
  });

  it('lets only one request write to an upload at a time', async () => {
    const location = await begin();
    const slow = request(new URL(location, registry.url), {
      method: 'PATCH',
      headers: { authorization: `Bearer ${people.developer}`, 'content-length': 10 },
    });
    const answered = new Promise<number>((resolve) =>
      slow.on('response', ({ statusCode }) => resolve(statusCode ?? 0)),
    );
    slow.write('first');
    await eventually(async () => {
      expect(await registry.query('SELECT 1 FROM uploads WHERE writer_until IS NOT NULL')).toHaveLength(1);
    });
    expect((await patch(location, Buffer.from('other'))).status).toBe(409);
    slow.end('-last');
    expect(await answered).toBe(202);
    expect((await put(location, digestOf(Buffer.from('first-last')))).status).toBe(201);
  });

  it('mounts a blob from a repository that the client may pull from, and from no other', async () => {
    const content = randomBytes(1_000);
    const digest = await blob(content, 'acme/base');
    const mount = (from: string, as?: string): Promise<Response> =>
      registry.fetch(
        `/v2/${as === undefined ? 'acme' : 'others'}/mounted/blobs/uploads/?mount=${digest}&from=${from}`,
        {
          method: 'POST',
          ...(as === undefined ? {} : { as }),
        },
      );
    expect((await mount('acme/none')).status).toBe(202);
    expect((await registry.fetch(`/v2/acme/mounted/blobs/${digest}`)).status).toBe(404);
    expect((await mount('acme/base', people.stranger)).status).toBe(202);
    expect((await registry.fetch(`/v2/others/mounted/blobs/${digest}`, { as: people.stranger })).status).toBe(
      404,
    );
    expect((await mount('acme/base')).status).toBe(201);
    expect((await read(digest, 'acme/mounted')).equals(content)).toBe(true);
  });

  it('keeps manifests byte for byte, and only with all that they name', async () => {
    const config = Buffer.from('{}');
    const layer = randomBytes(100);
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor(config),
      layers: [descriptor(layer)],
    };
    const text = `${JSON.stringify(manifest, null, 3)}\n`;
    await blob(config);
    const missing = await putManifest(text);
    expect(missing.status).toBe(404);
    const [error] = ((await missing.json()) as { errors: { code: string; detail: unknown }[] }).errors;
    expect(error).toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN', detail: [{ digest: digestOf(layer) }] });

    await blob(layer);
    const taken = await putManifest(text);
    expect(taken.status).toBe(201);
    const digest = taken.headers.get('docker-content-digest')!;
    expect(digest).toBe(digestOf(Buffer.from(text)));
    expect(await (await registry.fetch('/v2/acme/app/manifests/1')).text()).toBe(text);

    const index = (digests: string[]): object => ({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: digests.map((listed) => ({
        mediaType: OCI_MANIFEST,
        digest: listed,
        size: text.length,
        platform: { os: 'linux', architecture: 'amd64' },
      })),
    });
    expect((await putManifest(index([digest]), { reference: 'all', type: OCI_INDEX })).status).toBe(201);
    const sparse = await putManifest(index([digest, digestOf(Buffer.from('x'))]), {
      reference: 'all',
      type: OCI_INDEX,
    });
    expect([sparse.status, await code(sparse)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    const subject = { ...manifest, subject: { mediaType: OCI_MANIFEST, digest: digestOf(layer), size: 1 } };
    const attached = await putManifest(subject, { reference: 'attached' });
    expect([attached.status, attached.headers.get('oci-subject')]).toEqual([201, digestOf(layer)]);
  });

  it('refuses what is no manifest', async () => {
    const config = Buffer.from('{}');
    await blob(config);
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor(config), layers: [] };
    const cases: [object | string, object, number, string][] = [
      ['not json', {}, 400, 'MANIFEST_INVALID'],
      ['[]', {}, 400, 'MANIFEST_INVALID'],
      [{ ...manifest, schemaVersion: 1 }, {}, 400, 'MANIFEST_INVALID'],
      [manifest, { type: 'text/plain' }, 400, 'MANIFEST_INVALID'],
      [manifest, { type: OCI_INDEX }, 400, 'MANIFEST_INVALID'],
      [{ ...manifest, manifests: [] }, {}, 400, 'MANIFEST_INVALID'],
      [
        { ...manifest, config: { ...descriptor(config), digest: '../../etc/passwd' } },
        {},
        400,
        'MANIFEST_INVALID',
      ],
      [manifest, { reference: `sha256:${'0'.repeat(64)}` }, 400, 'DIGEST_INVALID'],
      [manifest, { reference: '.hidden' }, 400, 'MANIFEST_INVALID'],
      [' '.repeat(4 * 1024 * 1024 + 1), {}, 413, 'SIZE_INVALID'],
    ];
    for (const [body, options, status, expected] of cases) {
      const response = await putManifest(body, options);
      expect([response.status, await code(response)]).toEqual([status, expected]);
    }
    const largest = `${JSON.stringify(manifest)}${' '.repeat(4 * 1024 * 1024)}`.slice(0, 4 * 1024 * 1024);
    expect((await putManifest(largest)).status).toBe(201);
  });

  it('refuses an endless manifest whose length is not told', async () => {
    const endless = request(new URL('/v2/acme/app/manifests/endless', registry.url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${people.developer}`, 'content-type': OCI_MANIFEST },
    });
    const status = new Promise<number>((resolve) => {
      endless.on('response', ({ statusCode }) => resolve(statusCode ?? 0));
      endless.on('error', () => resolve(0));
    });
    for (let sent = 0; sent < 5; sent++) endless.write(Buffer.alloc(1024 * 1024, ' '));
    expect(await status).toBe(413);
    endless.destroy();
  });

  it('sweeps uploads that nobody went on with for a day, and bytes without a row', async () => {
    const old = new Date(Date.now() - 25 * 3_600_000);
    const abandoned = await begin();
    const alive = await begin();
    await patch(alive, Buffer.from('bytes'));
    const uploads = registry.fileInStore('uploads');
    await writeFile(join(uploads, 'orphan'), 'bytes');
    await registry.query(`UPDATE uploads SET updated_at = $1 WHERE id = $2`, [
      old,
      abandoned.split('/').at(-1),
    ]);
    for (const name of await readdir(uploads)) await utimes(join(uploads, name), old, old);

    await registry.app.get(Uploads).sweep();

    expect(await readdir(uploads)).not.toContain('orphan');
    expect((await registry.fetch(abandoned)).status).toBe(404);
    expect((await registry.fetch(alive)).status).toBe(204);
    expect((await put(alive, digestOf(Buffer.from('bytes')))).status).toBe(201);
  });

  it('leaves no upload behind in the store', async () => {
    const rows = await registry.query<{ part: string }>('SELECT part FROM uploads');
    expect((await readdir(registry.fileInStore('uploads'))).sort()).toEqual(
      rows.map(({ part }) => part).sort(),
    );
  });
});
