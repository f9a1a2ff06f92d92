import { eventually, startTestService, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { blobPath, manifestPath, newImage } from './pulled-images.js';
import { environment, RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

jest.setTimeout(60_000);

describe.each(['files', 'objects'] as const)('several instances on %s', (store) => {
  let people: People;
  let upstream: UpstreamFront;
  let one: RegistryUnderTest;
  let other: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    const upstreams = { 'docker.io': { url: upstream.url } };
    one = await RegistryUnderTest.start({ token: people.developer, upstreams, store });
    other = await RegistryUnderTest.start({ beside: one, upstreams });
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await other.stop();
    await one.stop();
    await upstream.down();
    await people.stop();
  });

  /** The upstream sends half of the image's layer, and what `release` says after that. */
  async function halfSent(size = 2 * 1024 * 1024) {
    const image = await newImage(size);
    await (await one.fetch(manifestPath(image))).text();
    const { content, digest } = image.layers[0];
    let release = (_rest: Buffer | null): void => undefined;
    const rest = new Promise<Buffer | null>((resolve) => (release = resolve));
    upstream.intercept = ({ method, url = '' }, response) => {
      if (method !== 'GET' || !url.includes(digest)) return false;
      response.writeHead(200, { 'content-length': content.length });
      let sent = Math.floor(content.length / 2);
      response.write(content.subarray(0, sent));
      const trickle = setInterval(() => response.write(content.subarray(sent, ++sent)), 500);
      response.once('close', () => clearInterval(trickle));
      void rest.then((bytes) => {
        clearInterval(trickle);
        response.end(bytes === null ? Buffer.alloc(content.length - sent) : bytes.subarray(sent));
      });
      return true;
    };
    return { image, content, release: (bytes: Buffer | null) => release(bytes) };
  }
  /** Bytes that came, counted while they come; null once the transfer has broken. */
  function pull(registry: RegistryUnderTest, image: TestImage) {
    const pulled = { fed: 0, whole: Promise.resolve<Buffer | null>(null) };
    const read = async (): Promise<Buffer> => {
      const response = await registry.fetch(blobPath(image));
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        pulled.fed += chunk.length;
        chunks.push(chunk);
      }
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
      return Buffer.concat(chunks);
    };
    pulled.whole = read().catch(() => null);
    return pulled;
  }
  const gets = (image: TestImage): number => upstream.count(new RegExp(`^GET .*${image.layers[0].digest}`));

  it('fetch a blob once, and each feeds its clients while it arrives', async () => {
    const { image, content, release } = await halfSent();
    const pulls = Array.from({ length: 20 }, (_, n) => pull(n % 2 === 0 ? one : other, image));
    await eventually(() => expect(pulls.filter(({ fed }) => fed > 0)).toHaveLength(20), { timeout: 20_000 });
    release(content);
    for (const { whole } of pulls) expect((await whole)?.equals(content)).toBe(true);
    expect(gets(image)).toBe(1);
    expect((await other.fetch(blobPath(image))).status).toBe(200);
    expect(await one.query('SELECT 1 FROM blob_fetches')).toEqual([]);
  });

  it('pass on to all clients that what came is wrong', async () => {
    const { image, content, release } = await halfSent();
    const pulls = [pull(one, image), pull(other, image)];
    await eventually(() => expect(pulls.every(({ fed }) => fed > 0)).toBe(true), { timeout: 20_000 });
    release(null);
    for (const { whole } of pulls) expect(await whole).toBeNull();
    upstream.forget();
    expect((await pull(other, image).whole)?.equals(content)).toBe(true);
  });

  it('tell all clients alike of an upstream in trouble', async () => {
    const image = await newImage();
    await (await one.fetch(manifestPath(image))).text();
    upstream.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    const answers = await Promise.all([one.fetch(blobPath(image)), other.fetch(blobPath(image))]);
    expect(answers.map(({ status }) => status)).toEqual([502, 502]);
    upstream.forget();
    expect((await other.fetch(blobPath(image))).status).toBe(200);
  });

  it('take over from one that is killed', async () => {
    const upstreams = { 'docker.io': { url: upstream.url } };
    const killed = await startTestService(
      'registry-proxy',
      await environment(one.database, one.store, { upstreams, upstreamTimeoutMs: 20_000 }),
    );
    const { image, content } = await halfSent();
    const first = fetch(new URL(blobPath(image), killed.url), {
      headers: { authorization: `Bearer ${people.developer}` },
    }).then((response) => response.arrayBuffer());
    first.catch(() => undefined);
    await eventually(() => expect(gets(image)).toBe(1));
    const follower = pull(other, image);
    await eventually(() => expect(follower.fed).toBeGreaterThan(0));
    await killed.kill();
    await expect(first).rejects.toThrow();
    // What it was sent is not verified, and nobody will: no other bytes may be put behind it.
    expect(await follower.whole).toBeNull();
    upstream.forget();
    expect((await pull(one, image).whole)?.equals(content)).toBe(true);
    expect(gets(image)).toBe(1);
  });
});
