import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';

import { People } from './people.js';
import { blobPath, manifestPath, newImage } from './pulled-images.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

describe('an upstream that cannot be trusted', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url } },
      tagTtlSeconds: 60,
    });
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  it('breaks the connection when the bytes are not what the digest says, and keeps nothing of them', async () => {
    const image = await newImage(1024 * 1024);
    const { content, digest } = image.layers[0]!;
    const wrong = Buffer.from(content);
    wrong[10] = wrong[10]! ^ 0xff;
    upstream.intercept = ({ method, url = '' }, response) => {
      if (method !== 'GET' || !url.includes('/blobs/')) return false;
      response.writeHead(200, { 'content-length': wrong.length });
      response.end(wrong);
      return true;
    };
    const received = await new Promise<{ bytes: number; whole: boolean }>((resolve) => {
      get(
        new URL(blobPath(image), registry.url),
        { headers: { authorization: `Bearer ${people.developer}` } },
        (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => (bytes += chunk.length));
          response.on('close', () => resolve({ bytes, whole: response.complete }));
          response.on('error', () => undefined);
        },
      );
    });
    expect(received.whole).toBe(false);
    expect(received.bytes).toBeLessThan(wrong.length);
    expect(received.bytes).toBeGreaterThan(0);
    expect(await registry.query('SELECT 1 FROM blobs WHERE digest = $1', [digest])).toEqual([]);

    upstream.forget();
    const right = await registry.fetch(blobPath(image));
    expect(Buffer.from(await right.arrayBuffer()).equals(content)).toBe(true);
  });

  it.each([
    ['shorter than told', (content: Buffer) => ({ told: content.length, sent: content.subarray(0, -10) })],
    [
      'of another size than its manifest says',
      (content: Buffer) => ({ told: content.length + 1, sent: content }),
    ],
    ['small and wrong', (content: Buffer) => ({ told: content.length, sent: Buffer.alloc(content.length) })],
    ['endless', (content: Buffer) => ({ told: null, sent: Buffer.alloc(content.length * 50) })],
  ])('never passes on a blob that is %s', async (_what, misbehave) => {
    const image = await newImage(10_000);
    await (await registry.fetch(manifestPath(image))).text();
    const { content, digest } = image.layers[0]!;
    const { told, sent } = misbehave(content);
    upstream.intercept = ({ url = '' }, response) => {
      if (!url.includes('/blobs/')) return false;
      response.writeHead(200, told === null ? {} : { 'content-length': told });
      response.write(sent, () => (told === null ? undefined : response.destroy()));
      return true;
    };
    const outcome = await registry.fetch(blobPath(image)).then(
      async (response) => ({ status: response.status, bytes: (await response.arrayBuffer()).byteLength }),
      () => ({ status: 0, bytes: 0 }),
    );
    expect(outcome.status).not.toBe(200);
    expect(await registry.query('SELECT 1 FROM blobs WHERE digest = $1', [digest])).toEqual([]);
  });

  it('refuses a manifest whose bytes have another digest, and one that is above 4 MiB', async () => {
    const image = await newImage();
    upstream.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': image.mediaType }).end(`${image.manifest} `);
      return true;
    };
    expect((await registry.fetch(manifestPath(image, image.digest))).status).toBe(502);
    upstream.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': image.mediaType }).end(' '.repeat(4 * 1024 * 1024 + 1));
      return true;
    };
    expect((await registry.fetch(manifestPath(image))).status).toBe(502);
  });

  it('does not get a private blob opened by whoever knows its digest', async () => {
    const image = await newImage();
    await (await registry.fetch(blobPath(image))).arrayBuffer();
    const { digest } = image.layers[0]!;
    expect((await registry.fetch(`/v2/docker.io/library/other/blobs/${digest}`)).status).toBe(404);
    expect((await registry.fetch(`/v2/acme/other/blobs/${digest}`)).status).toBe(404);
  });

  it('follows a redirect to another host without the credentials', async () => {
    const image = await newImage();
    const seen: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end(image.layers[0]!.content);
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as AddressInfo;
    const asked: (string | undefined)[] = [];
    upstream.intercept = (request, response) => {
      asked.push(request.headers.authorization);
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="upstream"' }).end();
      } else {
        response.writeHead(307, { location: `http://127.0.0.1:${port}/object` }).end();
      }
      return true;
    };
    const trusted = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url, username: 'berth', password: 'secret' } },
    });
    try {
      const blob = await trusted.fetch(blobPath(image));
      expect(Buffer.from(await blob.arrayBuffer()).equals(image.layers[0]!.content)).toBe(true);
      expect(asked.at(-1)).toBe(`Basic ${Buffer.from('berth:secret').toString('base64')}`);
      expect(seen).toEqual([undefined]);
    } finally {
      await trusted.stop();
      elsewhere.close();
    }
  });
});
