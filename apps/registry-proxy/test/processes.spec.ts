import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildTestImage,
  createTestDatabase,
  eventually,
  startTestService,
  type TestDatabase,
  type TestService,
} from '@berth/testing';
import { People } from './people.js';
import { environment } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

// Processes are started a dozen times.
jest.setTimeout(120_000);

describe('a registry-proxy that is stopped', () => {
  let people: People;
  let upstream: UpstreamFront;
  let database: TestDatabase;
  let store: string;
  let registry: TestService;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    database = await createTestDatabase('registry-proxy');
    store = await mkdtemp(join(tmpdir(), 'berth-killed-'));
    registry = await startTestService(
      'registry-proxy',
      await environment(database, store, {
        upstreams: { 'docker.io': { url: upstream.url } },
        upstreamTimeoutMs: 20_000,
      }),
    );
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await registry.kill('SIGTERM');
    await upstream.down();
    await people.stop();
    await database.drop();
    await rm(store, { recursive: true, force: true });
  });

  const headers = (): Record<string, string> => ({ authorization: `Bearer ${people.developer}` });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, registry.url), { ...init, headers: { ...headers(), ...(init.headers as object) } });
  /** Every file under its digest has that digest. */
  const expectWholeBlobs = async (): Promise<void> => {
    const root = join(store, 'blobs', 'sha256');
    for (const path of await readdir(root, { recursive: true })) {
      const name = path.split('/')[1];
      if (name !== undefined) expect(digestOf(await readFile(join(root, path)))).toBe(`sha256:${name}`);
    }
  };
  const unfinished = async (): Promise<string[]> => {
    const folders = await readdir(join(store, 'incoming'));
    return (await Promise.all(folders.map((folder) => readdir(join(store, 'incoming', folder))))).flat();
  };

  it('with -9 in the middle of pushes keeps no broken blob, and the push can be done again', async () => {
    const content = randomBytes(8 * 1024 * 1024);
    for (let round = 0; round < 3; round++) {
      const begun = await ask('/v2/acme/killed/blobs/uploads/', { method: 'POST' });
      const location = begun.headers.get('location')!;
      // Resolves when the process is gone.
      await new Promise<void>((resolve, reject) => {
        const upload = request(new URL(`${location}?digest=${digestOf(content)}`, registry.url), {
          method: 'PUT',
          headers: { ...headers(), 'content-length': content.length },
        });
        upload.on('error', () => undefined);
        upload.write(content.subarray(0, (round + 1) * 2 * 1024 * 1024), () =>
          registry.kill().then(resolve, reject),
        );
      });
      await registry.start();
      await expectWholeBlobs();
      expect((await ask(`/v2/acme/killed/blobs/${digestOf(content)}`, { method: 'HEAD' })).status).toBe(404);
    }
    const again = await ask(`/v2/acme/killed/blobs/uploads/?digest=${digestOf(content)}`, {
      method: 'POST',
      body: new Uint8Array(content),
    });
    expect(again.status).toBe(201);
    await registry.kill();
    await registry.start();
    const read = await ask(`/v2/acme/killed/blobs/${digestOf(content)}`);
    expect(Buffer.from(await read.arrayBuffer()).equals(content)).toBe(true);
  });

  it('with -9 in the middle of a fetch leaves nothing of it, and fetches it anew', async () => {
    const image = await buildTestImage({
      name: `killed-${process.pid}`,
      busybox: false,
      files: { '/f': { content: randomBytes(2_000_000) } },
    });
    const { digest, content } = image.layers[0]!;
    const path = `/v2/docker.io/${image.repository}/blobs/${digest}`;
    upstream.intercept = ({ method, url }, response) => {
      if (method !== 'GET' || !url?.includes(digest)) return false;
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1_000_000));
      return true;
    };
    const pull = ask(path).then((response) => response.arrayBuffer());
    pull.catch(() => undefined);
    await eventually(async () => expect(await unfinished()).toHaveLength(1));
    await registry.kill();
    await expect(pull).rejects.toThrow();
    upstream.forget();

    await registry.start();
    expect(await unfinished()).toEqual([]);
    await expectWholeBlobs();
    expect(Buffer.from(await (await ask(path)).arrayBuffer()).equals(content)).toBe(true);
  });

  it('gracefully lets the transfers in flight finish, and takes nothing new', async () => {
    const image = await buildTestImage({
      name: `drained-${process.pid}`,
      busybox: false,
      files: { '/f': { content: randomBytes(2_000_000) } },
    });
    const { digest, content } = image.layers[0]!;
    let release = (): void => undefined;
    upstream.intercept = ({ method, url }, response) => {
      if (method !== 'GET' || !url?.includes(digest)) return false;
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1_000_000));
      release = () => response.end(content.subarray(1_000_000));
      return true;
    };
    const response = await ask(`/v2/docker.io/${image.repository}/blobs/${digest}`);
    const stopped = registry.kill('SIGTERM');
    await eventually(() => expect(ask('/v2/')).rejects.toThrow());
    release();
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    await stopped;
    expect(await readdir(join(store, 'incoming'))).toEqual([]);
    await registry.start();
    expect((await ask('/v2/')).status).toBe(200);
  });

  it('answers 503 while policy is away, and changes nothing', async () => {
    await people.policy.kill();
    try {
      expect((await ask('/v2/acme/killed/tags/list')).status).toBe(503);
      expect((await ask('/v2/acme/killed/blobs/uploads/', { method: 'POST' })).status).toBe(503);
    } finally {
      await people.policy.start();
    }
    await eventually(async () => expect((await ask('/v2/acme/killed/tags/list')).status).toBe(200));
  });
});
