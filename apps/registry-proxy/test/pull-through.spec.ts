import type { ServerResponse } from 'node:http';
import { buildTestImage, eventually, upstreamRegistry, type TestImage } from '@berth/testing';
import { CatalogMemory } from '../src/catalog/catalog-memory.js';
import { People } from './people.js';
import { blobPath, manifestPath, newImage } from './pulled-images.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

describe('pulling through', () => {
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

  /** As if the tag had been asked for long ago. */
  /** Resolves once the registry has heard of it: what it knows by heart is younger until then. */
  const age = async ({ repository }: TestImage): Promise<void> => {
    const name = `docker.io/${repository}`;
    const forgotten = jest.spyOn(registry.app.get(CatalogMemory), 'forget');
    await registry.query(`UPDATE tags SET checked_at = now() - interval '1 hour' WHERE repository = $1`, [
      name,
    ]);
    await eventually(() => expect(forgotten).toHaveBeenCalledWith(name));
    forgotten.mockRestore();
  };

  it('fetches an image once, and then has it', async () => {
    const image = await newImage();
    for (let round = 0; round < 3; round++) {
      const manifest = await registry.fetch(manifestPath(image));
      expect(manifest.status).toBe(200);
      expect(await manifest.text()).toBe(image.manifest);
      const blob = await registry.fetch(blobPath(image));
      expect(Buffer.from(await blob.arrayBuffer()).equals(image.layers[0]!.content)).toBe(true);
    }
    expect(upstream.count(/manifests/)).toBe(1);
    // The layer, and the config, which policy is told of.
    expect(upstream.count(/^GET .*blobs/)).toBe(2);
  });

  it('counts where what it gives out came from, what it asked, and what it stores', async () => {
    const counts = async (): Promise<Map<string, number>> => {
      const text = await (await registry.fetch('/metrics', { as: null })).text();
      const lines = [...text.matchAll(/^(berth_registry_\S+) (\d+)$/gm)];
      return new Map(lines.map(([, name, value]) => [name, Number(value)]));
    };
    const before = await counts();
    const image = await newImage();
    for (let round = 0; round < 3; round++) {
      await (await registry.fetch(manifestPath(image))).text();
      await (await registry.fetch(blobPath(image))).arrayBuffer();
    }
    const after = await counts();
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown('berth_registry_manifest_pulls_total{from="upstream"}')).toBe(1);
    expect(grown('berth_registry_manifest_pulls_total{from="cache"}')).toBe(2);
    // The config, which policy is told of, is asked for and not given out.
    expect(grown('berth_registry_blob_pulls_total{from="upstream"}')).toBe(1);
    expect(grown('berth_registry_blob_pulls_total{from="cache"}')).toBe(2);
    expect(grown('berth_registry_upstream_requests_total{upstream="docker.io",outcome="answered"}')).toBe(3);
    expect(grown('berth_registry_stored_bytes{kind="cached"}')).toBeGreaterThan(1_000);
  });

  it('takes docker.io/nginx for docker.io/library/nginx', async () => {
    const image = await newImage();
    const short = await registry.fetch(
      `/v2/docker.io/${image.repository.replace('library/', '')}/manifests/1`,
    );
    expect(short.headers.get('docker-content-digest')).toBe(image.digest);
  });

  it('is a mirror to clients that say of what, as containerd does', async () => {
    const image = await newImage();
    const at = (kind: string, reference: string, of = 'docker.io'): string =>
      `/v2/${image.repository}/${kind}/${reference}?ns=${of}`;
    const manifest = await registry.fetch(at('manifests', '1'));
    expect([manifest.status, manifest.headers.get('oci-namespace')]).toEqual([200, 'docker.io']);
    expect(await manifest.text()).toBe(image.manifest);
    expect((await registry.fetch(at('blobs', image.layers[0].digest))).status).toBe(200);
    // Not a team called "library", and no other registry than those that are configured.
    expect((await registry.fetch(at('manifests', '1').replace(/\?.*/, ''))).status).toBe(404);
    expect((await registry.fetch(at('manifests', '1', 'ghcr.io'))).status).toBe(404);
    const push = await registry.fetch(`/v2/${image.repository}/blobs/uploads/?ns=docker.io`, {
      method: 'POST',
    });
    expect(push.status).toBe(405);
  });

  it('tells the referrers that the upstream tells, by its list or by the tag that clients keep one under', async () => {
    const image = await newImage();
    const path = `/v2/docker.io/${image.repository}/referrers/${image.digest}`;
    const index = 'application/vnd.oci.image.index.v1+json';
    const entry = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length };
    const signature = { ...entry, artifactType: 'application/vnd.example.signature' };
    const listed = async (query = ''): Promise<unknown> =>
      ((await (await registry.fetch(path + query)).json()) as { manifests: unknown }).manifests;
    expect(await listed()).toEqual([]);

    const body = JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [entry] });
    const kept = `${(await upstreamRegistry()).url}/v2/${image.repository}/manifests/${image.digest.replace(':', '-')}`;
    expect((await fetch(kept, { method: 'PUT', headers: { 'content-type': index }, body })).status).toBe(201);
    expect(await listed()).toEqual([entry]);

    upstream.intercept = (request, response) => {
      if (!request.url?.includes('/referrers/')) return false;
      response.writeHead(200, { 'content-type': index });
      response.end(
        JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [signature, 'nonsense'] }),
      );
      return true;
    };
    expect(await listed()).toEqual([signature]);
    expect(await listed('?artifactType=application/vnd.example.other')).toEqual([]);
    upstream.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    expect((await registry.fetch(path)).status).toBe(503);
  });

  it('answers HEAD of a blob that is not here without fetching it', async () => {
    const image = await newImage();
    const head = await registry.fetch(blobPath(image), { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(image.layers[0]!.content.length));
    expect(upstream.count(/^GET/)).toBe(0);
  });

  it('does not ask for a tag within its time, then asks by HEAD, and fetches only what moved', async () => {
    const image = await newImage();
    await (await registry.fetch(manifestPath(image))).text();
    await (await registry.fetch(manifestPath(image))).text();
    expect(upstream.asked).toEqual([
      `GET /v2/${image.repository}/manifests/1`,
      `GET /v2/${image.repository}/blobs/${image.config.digest}`,
    ]);

    await age(image);
    await (await registry.fetch(manifestPath(image))).text();
    await (await registry.fetch(manifestPath(image))).text();
    expect(upstream.asked.slice(2)).toEqual([`HEAD /v2/${image.repository}/manifests/1`]);

    const moved = await buildTestImage({
      name: image.reference.split(':')[0]!,
      busybox: false,
      files: { '/content': 'moved' },
    });
    await age(image);
    const now = await registry.fetch(manifestPath(image));
    expect(now.headers.get('docker-content-digest')).toBe(moved.digest);
    const before = await registry.fetch(manifestPath(image, image.digest));
    expect(await before.text()).toBe(image.manifest);
  });

  it('never asks for a digest that it has, also with the upstream down', async () => {
    const image = await newImage();
    await (await registry.fetch(manifestPath(image))).text();
    await (await registry.fetch(blobPath(image))).arrayBuffer();
    await upstream.down();
    try {
      expect((await registry.fetch(manifestPath(image, image.digest))).status).toBe(200);
      expect((await registry.fetch(blobPath(image))).status).toBe(200);
    } finally {
      await upstream.up();
    }
  });

  it('serves a known tag with a warning while the upstream is down, and never a false 404', async () => {
    const image = await newImage();
    const unknown = await newImage();
    await (await registry.fetch(manifestPath(image))).text();
    await age(image);
    await upstream.down();
    try {
      for (let round = 0; round < 2; round++) {
        const stale = await registry.fetch(manifestPath(image));
        expect(stale.status).toBe(200);
        expect(await stale.text()).toBe(image.manifest);
        expect(stale.headers.get('warning')).toMatch(/^299 - ".*docker\.io cannot be reached/);
      }
      for (const path of [manifestPath(unknown), manifestPath(unknown, unknown.digest), blobPath(unknown)]) {
        const response = await registry.fetch(path);
        expect([path, response.status]).toEqual([path, 503]);
      }
    } finally {
      await upstream.up();
    }
    expect((await registry.fetch(manifestPath(unknown))).status).toBe(200);
    const fresh = await registry.fetch(manifestPath(image));
    expect(fresh.headers.get('warning')).toBeNull();
  });

  it('gives up on an upstream that is silent, as 504, and serves what it knows meanwhile', async () => {
    const image = await newImage();
    const unknown = await newImage();
    await (await registry.fetch(manifestPath(image))).text();
    await age(image);
    upstream.intercept = () => true;
    expect((await registry.fetch(manifestPath(unknown))).status).toBe(504);
    expect((await registry.fetch(manifestPath(image))).headers.get('warning')).toMatch(/too slow/);
    const begun = performance.now();
    expect((await registry.fetch(manifestPath(image))).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('passes on a 404 as the truth, and forgets the tag', async () => {
    const image = await newImage();
    await (await registry.fetch(manifestPath(image))).text();
    await age(image);
    upstream.intercept = (_request, response) => {
      response.writeHead(404).end();
      return true;
    };
    expect((await registry.fetch(manifestPath(image))).status).toBe(404);
    expect((await registry.fetch('/v2/docker.io/library/never/manifests/1')).status).toBe(404);
    expect((await registry.fetch(manifestPath(image, image.digest))).status).toBe(200);
  });

  it('passes on an error of the upstream as 502', async () => {
    const image = await newImage();
    upstream.intercept = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    expect((await registry.fetch(manifestPath(image))).status).toBe(502);
    expect((await registry.fetch(blobPath(image))).status).toBe(502);
  });

  it('passes on a rate limit with its Retry-After, and asks no more until then', async () => {
    const [known, image] = [await newImage(), await newImage()];
    await (await registry.fetch(manifestPath(known))).text();
    await age(known);
    upstream.forget();
    upstream.intercept = (_request, response) => {
      response.writeHead(429, { 'retry-after': '3' }).end();
      return true;
    };
    const limited = await registry.fetch(manifestPath(image));
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '3']);
    expect(((await limited.json()) as { errors: { code: string }[] }).errors[0]!.code).toBe(
      'TOOMANYREQUESTS',
    );
    upstream.intercept = () => false;
    const again = await registry.fetch(blobPath(image));
    expect([again.status, ['1', '2', '3'].includes(again.headers.get('retry-after') ?? '')]).toEqual([
      429,
      true,
    ]);
    const cached = await registry.fetch(manifestPath(known));
    expect([cached.status, cached.headers.get('warning')]).toEqual([
      200,
      expect.stringContaining('limits the rate'),
    ]);
    expect(upstream.asked).toHaveLength(1);
    await eventually(async () => expect((await registry.fetch(manifestPath(image))).status).toBe(200));
  });

  it('leaves an upstream alone for a while that answers nothing, three times in a row', async () => {
    const images = [await newImage(), await newImage(), await newImage(), await newImage()];
    upstream.intercept = () => true;
    const statuses = [];
    for (const image of images) statuses.push((await registry.fetch(manifestPath(image))).status);
    expect(statuses).toEqual([504, 504, 504, 504]);
    expect(upstream.asked).toHaveLength(3);
    upstream.intercept = () => false;
    await eventually(async () => expect((await registry.fetch(manifestPath(images[0]))).status).toBe(200), {
      timeout: 15_000,
    });
  });

  describe('a transfer that breaks off', () => {
    /** What was asked of the blob, as the second and later requests get it from `then`. */
    async function broken(then: (response: ServerResponse, content: Buffer) => boolean) {
      const image = await newImage(1024 * 1024);
      await (await registry.fetch(manifestPath(image))).text();
      const { content, digest } = image.layers[0];
      const half = Math.floor(content.length / 2);
      const ranges: (string | undefined)[] = [];
      upstream.intercept = ({ method, url = '', headers }, response) => {
        if (method !== 'GET' || !url.includes(digest)) return false;
        if (ranges.push(headers.range) > 1) return then(response, content);
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, half), () => response.destroy());
        return true;
      };
      const received = await registry
        .fetch(blobPath(image))
        .then((response) => response.arrayBuffer())
        .catch(() => null);
      return { image, ranges, whole: received !== null && content.equals(Buffer.from(received)) };
    }

    it('goes on where it was', async () => {
      const { ranges, whole } = await broken(() => false);
      expect(whole).toBe(true);
      expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    });

    it('begins anew with an upstream that knows no ranges, and nobody notices', async () => {
      const { whole } = await broken((response, content) => {
        response.writeHead(200, { 'content-length': content.length }).end(content);
        return true;
      });
      expect(whole).toBe(true);
    });

    it.each([
      ['part', 'bytes 900000-1000000/1000001'],
      ['size', 'bytes 1-99/100'],
      ['form', 'nonsense'],
    ])('ends where it went on with another %s', async (_what, range) => {
      const { image, ranges, whole } = await broken((response, content) => {
        response.writeHead(206, { 'content-range': range }).end(content);
        return true;
      });
      expect([whole, ranges.length]).toEqual([false, 2]);
      upstream.forget();
      expect((await registry.fetch(blobPath(image))).status).toBe(200);
    });
  });

  it('fetches a blob once for 50 who want it at once, and feeds them while it arrives', async () => {
    const image = await newImage(4 * 1024 * 1024);
    await (await registry.fetch(manifestPath(image))).text();
    const content = image.layers[0]!.content;
    let release = (): void => undefined;
    const half = new Promise<void>((resolve) => (release = resolve));
    upstream.intercept = ({ method, url = '' }, response) => {
      if (method !== 'GET' || !url.includes('/blobs/')) return false;
      response.writeHead(200, { 'content-length': content.length });
      let sent = content.length / 2;
      response.write(content.subarray(0, sent));
      // On and on a little, so that the upstream never counts as silent, however long it takes to feed them all.
      const trickle = setInterval(() => response.write(content.subarray(sent, ++sent)), 500);
      response.once('close', () => clearInterval(trickle));
      void half.then(() => {
        clearInterval(trickle);
        response.end(content.subarray(sent));
      });
      return true;
    };
    let fed = 0;
    const pulls = Array.from({ length: 50 }, async () => {
      const response = await registry.fetch(blobPath(image));
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        if (chunks.push(chunk) === 1) fed += 1;
      }
      return Buffer.concat(chunks).equals(content);
    });
    // Each is asked about first, and a busy machine takes its time over fifty of them.
    await eventually(() => expect(fed).toBe(50), { timeout: 60_000 });
    release();
    expect(await Promise.all(pulls)).toEqual(Array.from({ length: 50 }, () => true));
    expect(upstream.count(new RegExp(`^GET .*${image.layers[0].digest}`))).toBe(1);
  });

  it('serves a range of a blob that is still on its way', async () => {
    const image = await newImage(1024 * 1024);
    const content = image.layers[0]!.content;
    const part = await registry.fetch(blobPath(image), { headers: { range: 'bytes=1000-1999' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(1000, 2000))).toBe(true);
  });

  it('is not pushed to', async () => {
    const push = await registry.fetch('/v2/docker.io/library/nginx/blobs/uploads/', { method: 'POST' });
    expect(push.status).toBe(405);
    expect(await push.text()).toContain('is pulled through from docker.io');
    const put = await registry.fetch('/v2/docker.io/library/nginx/manifests/1', {
      method: 'PUT',
      body: '{}',
    });
    expect(put.status).toBe(405);
  });
});
