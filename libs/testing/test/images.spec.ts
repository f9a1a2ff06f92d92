import { inheritedEnvironment, runCommand, tryCommand } from '@berth/host';
import { buildTestImage, makeImage, testEngine, upstreamRegistry } from '../src/index.js';

describe('images made from nothing', () => {
  it('are in the upstream registry, by tag and by digest', async () => {
    const image = await buildTestImage({ name: 'greeter', cmd: ['echo', 'hello'] });
    const { url } = await upstreamRegistry();
    for (const reference of [image.tag, image.digest]) {
      const response = await fetch(`${url}/v2/library/greeter/manifests/${reference}`, {
        headers: { accept: image.mediaType },
      });
      expect(response.headers.get('docker-content-digest')).toBe(image.digest);
    }
  });

  it('are the same again', async () => {
    const options = { name: 'same', files: { '/etc/motd': 'hello' } };
    expect((await makeImage(options)).digest).toBe((await makeImage(options)).digest);
  });

  it('are what skopeo takes for an image', async () => {
    await buildTestImage({ name: 'acme/inspected', user: '7', ports: ['8080/tcp'] });
    const { address } = await upstreamRegistry();
    const reference = `docker://${address}/acme/inspected:1`;
    const config = await runCommand('skopeo', ['inspect', '--tls-verify=false', '--config', reference]);
    expect(JSON.parse(config)).toMatchObject({ config: { User: '7', ExposedPorts: { '8080/tcp': {} } } });
  });

  it('run, and reach each other by name', async () => {
    const image = await buildTestImage({
      name: 'server',
      cmd: ['httpd', '-f', '-p', '8080', '-h', '/srv'],
      files: { '/srv/index.html': 'it works' },
    });
    const env = { ...inheritedEnvironment(), DOCKER_HOST: await testEngine() };
    const reference = `${(await upstreamRegistry()).address}/${image.repository}:1`;
    const name = `berth-test-${image.digest.slice(-12)}`;
    try {
      await runCommand('docker', ['network', 'create', name], { env });
      await runCommand('docker', ['run', '-d', '--init', '--network', name, '--name', name, reference], {
        env,
      });
      const fetched = [
        'run',
        '--rm',
        '--network',
        name,
        reference,
        'wget',
        '-q',
        '-O',
        '-',
        `http://${name}:8080/`,
      ];
      expect(await runCommand('docker', fetched, { env })).toBe('it works');
    } finally {
      await tryCommand('docker', ['rm', '--force', name], { env });
      await tryCommand('docker', ['network', 'rm', name], { env });
    }
  });
});
