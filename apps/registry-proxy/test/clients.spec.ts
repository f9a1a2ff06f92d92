import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildTestImage, testEngine, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';

const run = promisify(execFile);

interface Outcome {
  code: number;
  output: string;
}

describe('the clients people use', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;
  let folder: string;
  let image: TestImage;
  let dockerHost: string;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: upstream.url } },
    });
    folder = await mkdtemp(join(tmpdir(), 'berth-clients-'));
    image = await buildTestImage({
      name: `clients-${process.pid}`,
      cmd: ['cat', '/greeting'],
      files: { '/greeting': 'ahoy' },
    });
    dockerHost = await testEngine();
  });
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const attempt = async (command: string, ...parameters: string[]): Promise<Outcome> => {
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder, DOCKER_HOST: dockerHost };
    return run(command, parameters, { env }).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  };
  const succeed = async (command: string, ...parameters: string[]): Promise<string> => {
    const { code, output } = await attempt(command, ...parameters);
    if (code !== 0) throw new Error(`${command} ${parameters.join(' ')}: ${output}`);
    return output;
  };
  const skopeo = (verb: string, ...parameters: string[]): Promise<string> =>
    succeed('skopeo', verb, ...parameters);

  it('skopeo copies in and out, lists tags, and deletes', async () => {
    const credentials = `anyone:${people.developer}`;
    const target = `docker://${registry.address}/acme/copied`;
    await skopeo(
      'copy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      '--src-creds',
      credentials,
      '--dest-creds',
      credentials,
      `docker://${registry.address}/docker.io/${image.repository}:1`,
      `${target}:1`,
    );
    await skopeo(
      'copy',
      '--dest-tls-verify=false',
      '--src-tls-verify=false',
      '--src-creds',
      credentials,
      '--dest-creds',
      credentials,
      '--format',
      'oci',
      `${target}:1`,
      `${target}:oci`,
    );
    const tags = await skopeo('list-tags', '--tls-verify=false', '--creds', credentials, target);
    expect((JSON.parse(tags) as { Tags: string[] }).Tags).toEqual(['1', 'oci']);
    await skopeo(
      'copy',
      '--src-tls-verify=false',
      '--src-creds',
      credentials,
      `${target}:1`,
      `dir:${join(folder, 'out')}`,
    );
    expect(await readFile(join(folder, 'out', 'manifest.json'), 'utf8')).toBe(image.manifest);
    for (const { digest, content } of image.layers) {
      expect((await readFile(join(folder, 'out', digest.slice(7)))).equals(content)).toBe(true);
    }
    expect(
      (
        await attempt(
          'skopeo',
          'inspect',
          '--tls-verify=false',
          '--creds',
          `x:${people.stranger}`,
          `${target}:1`,
        )
      ).code,
    ).not.toBe(0);
    await skopeo('delete', '--tls-verify=false', '--creds', credentials, `${target}:oci`);
    const left = await skopeo('list-tags', '--tls-verify=false', '--creds', credentials, target);
    expect((JSON.parse(left) as { Tags: string[] }).Tags).toEqual(['1']);
  });

  it('docker logs in, pulls through, runs, pushes and pulls by digest', async () => {
    const cached = `${registry.address}/docker.io/${image.repository}:1`;
    const own = `${registry.address}/acme/pushed:1`;
    const withoutLogin = await attempt('docker', 'pull', cached);
    expect(withoutLogin.code).not.toBe(0);
    expect(withoutLogin.output).toMatch(/authentication required|no basic auth credentials/);

    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, people.developer);
    await succeed(
      'sh',
      '-c',
      `docker login --username ann --password-stdin ${registry.address} < ${passwordFile}`,
    );
    try {
      await succeed('docker', 'pull', cached);
      await succeed('docker', 'tag', cached, own);
      const pushed = /digest: (sha256:[0-9a-f]{64})/.exec(await succeed('docker', 'push', own))?.[1];
      const byDigest = `${registry.address}/acme/pushed@${pushed}`;
      await succeed('docker', 'image', 'rm', own, cached);
      await succeed('docker', 'pull', byDigest);
      expect(await succeed('docker', 'run', '--rm', '--network', 'none', byDigest)).toBe('ahoy');
      await succeed('docker', 'image', 'rm', byDigest);
      expect(upstream.count(/^GET .*blobs/)).toBe(image.layers.length + 1);
    } finally {
      await attempt('docker', 'image', 'rm', '--force', cached, own);
    }
  });

  it('docker tells a person what policy says', async () => {
    const denied = await attempt('docker', 'pull', `${registry.address}/acme/blocked:1`);
    expect(denied.code).not.toBe(0);
    expect(denied.output).toContain('Images called blocked are not for use.');
    const missing = await attempt('docker', 'pull', `${registry.address}/others/private:1`);
    expect(missing.code).not.toBe(0);
    expect(missing.output).toMatch(/not found|you may not see it/);
  });
});
