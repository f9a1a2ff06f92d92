import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, makeImage, objectStorage, pushImage, testEngine, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';

const run = promisify(execFile);

/** Compressed, above what stays in one segment. */
const LARGE = randomBytes(10 * 1024 * 1024).toString('hex');

describe('large blobs in an object storage that clients may be sent to', () => {
  let people: People;
  let registry: RegistryUnderTest;
  let folder: string;
  let image: TestImage;
  let storageUrl: string;
  let credentials: string;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({ token: people.developer, store: 'objects', redirect: 'on' });
    folder = await mkdtemp(join(tmpdir(), 'berth-redirects-'));
    image = await makeImage({ name: 'acme/large', cmd: ['true'], files: { '/large': LARGE } });
    await pushImage(image, registry.url, { authorization: `Bearer ${people.developer}` });
    storageUrl = (await objectStorage()).endpoint;
    credentials = `anyone:${people.developer}`;
  });
  afterAll(async () => {
    await registry.stop();
    await people.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const layer = () => image.layers[image.layers.length - 1]!;
  const path = (): string => `/v2/acme/large/blobs/${layer().digest}`;
  const redirected = (): Promise<Response> =>
    eventually(async () => {
      const response = await registry.fetch(path());
      await response.arrayBuffer();
      expect(response.status).toBe(307);
      return response;
    });

  it('are sent by the registry at first, and by the storage from then on', async () => {
    const first = await registry.fetch(path());
    expect(first.status).toBe(200);
    expect(Buffer.from(await first.arrayBuffer()).equals(layer().content)).toBe(true);
    const response = await redirected();
    expect(response.headers.get('docker-content-digest')).toBe(layer().digest);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const location = response.headers.get('location') ?? '';
    expect(new URL(location).origin).toBe(storageUrl);
    const there = await fetch(location);
    expect(Buffer.from(await there.arrayBuffer()).equals(layer().content)).toBe(true);
  });

  it('are told of by HEAD, and refused as ever', async () => {
    await redirected();
    const head = await registry.fetch(path(), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(layer().content.length)]);
    const outside = await registry.fetch(path(), { headers: { range: 'bytes=99999999-' } });
    expect(outside.status).toBe(416);
    const answers = await Promise.all(
      [null, people.stranger].map((as) => registry.fetch(path(), { as, redirect: 'manual' })),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 404]);
    expect(answers.map(({ headers }) => headers.get('location'))).toEqual([null, null]);
  });

  it('come whole to skopeo', async () => {
    await redirected();
    const out = join(folder, 'out');
    const insecure = '--src-tls-verify=false';
    const source = `docker://${registry.address}/acme/large:${image.tag}`;
    await run('skopeo', ['copy', insecure, '--src-creds', credentials, source, `dir:${out}`]);
    expect((await readFile(join(out, layer().digest.slice(7)))).equals(layer().content)).toBe(true);
  });

  it('come whole to docker', async () => {
    await redirected();
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder, DOCKER_HOST: await testEngine() };
    const docker = (...parameters: string[]) => run('docker', parameters, { env });
    const name = `${registry.address}/acme/large@${image.digest}`;
    const login = run('docker', ['login', '--username', 'ann', '--password-stdin', registry.address], {
      env,
    });
    login.child.stdin?.end(people.developer);
    await login;
    try {
      await docker('pull', name);
      const { stdout } = await docker('image', 'inspect', '--format', '{{index .RepoDigests 0}}', name);
      expect(stdout.trim()).toBe(name);
    } finally {
      await docker('image', 'rm', '--force', name).catch(() => undefined);
    }
  });
});
