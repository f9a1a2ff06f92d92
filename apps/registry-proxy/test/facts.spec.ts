import { policyRpc, registryRpc } from '@berth/contracts';
import { buildTestImage, eventually, makeImage, pushImage, sha256, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { UpstreamFront } from './upstream-front.js';
import { manifestPath } from './pulled-images.js';

describe('what policy is told of an image', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    const upstreams = { 'docker.io': { url: upstream.url } };
    registry = await RegistryUnderTest.start({ token: people.developer, upstreams });
    await forbid(
      'rootless',
      'image.pull.after',
      'context has user && context.user == "root"',
      'It runs as root.',
    );
    await forbid('fresh', 'image.pull.after', 'context has ageDays && context.ageDays > 36500', 'Too old.');
    await forbid('lasting', 'image.delete.after', 'context.labels.contains("keep=yes")', 'It is to be kept.');
    await forbid(
      'tried',
      'image.push.after',
      'context has tag && context.tag like "prod*" && context.labels.contains("stage=trial")',
      'A trial is no production.',
    );
  });
  afterAll(async () => {
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  async function forbid(id: string, action: string, when: string, message: string): Promise<void> {
    const text = `@message("${message}") forbid (principal, action == Berth::Action::"${action}", resource) when { ${when} };`;
    await people.rpc.call(policyRpc.applyPolicy, { id, text }, people.admin);
  }
  const push = (image: TestImage, repository: string, tag = '1'): Promise<void> =>
    pushImage(image, registry.url, { repository, tag, authorization: `Bearer ${people.developer}` });
  const read = async (path: string, init: RequestInit = {}): Promise<string> => {
    const response = await registry.fetch(path, init);
    return `${response.status} ${await response.text()}`;
  };

  it('has the user that its config names, or names not, wherever it is pulled from', async () => {
    const name = `rooted-${process.pid}`;
    const rooted = await buildTestImage({ name, busybox: false, user: '', files: { '/a': name } });
    const other = await buildTestImage({
      name: `${name}-no`,
      busybox: false,
      user: 'app',
      files: { '/a': name },
    });
    expect(await read(manifestPath(rooted))).toMatch(/^403 .*DENIED.*It runs as root/);
    expect(await read(manifestPath(rooted), { method: 'HEAD' })).toMatch(/^403/);
    expect(await read(manifestPath(other))).toMatch(/^200/);
    const zero = await buildTestImage({
      name: `${name}-0`,
      busybox: false,
      user: '0:0',
      files: { '/a': name },
    });
    expect(await read(manifestPath(zero))).toMatch(/^403 .*It runs as root/);
    await push(rooted, 'acme/rooted');
    expect(await read('/v2/acme/rooted/manifests/1')).toMatch(/^403 .*It runs as root/);
    expect(await read(`/v2/acme/rooted/manifests/${rooted.digest}`)).toMatch(/^403/);
    const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
    const actor = await people.principal(people.developer);
    const resolve = (reference: string) =>
      people.rpc.call(registryRpc.resolve, { reference, platform }, { actor });
    await expect(resolve(rooted.reference)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    expect(await resolve(other.reference)).toMatchObject({ config: { user: 'app' } });
  });

  it('is judged anew once policy is another', async () => {
    const image = await makeImage({ name: 'acme/aged', busybox: false, files: { '/a': 'aged' } });
    await push(image, 'acme/aged');
    expect(await read('/v2/acme/aged/manifests/1')).toMatch(/^200/);
    await forbid('fresh', 'image.pull.after', 'context has ageDays && context.ageDays > 365', 'Too old.');
    await eventually(async () => expect(await read('/v2/acme/aged/manifests/1')).toMatch(/^403 .*Too old/), {
      timeout: 1_500,
      interval: 20,
    });
    await people.rpc.call(policyRpc.removePolicy, { id: 'fresh' }, people.admin);
    await eventually(async () => expect(await read('/v2/acme/aged/manifests/1')).toMatch(/^200/));
  });

  it('has its labels, and each tag that it is pushed with', async () => {
    const labels = { stage: 'trial' };
    const image = await makeImage({ name: 'acme/trial', busybox: false, labels, files: { '/a': 'trial' } });
    await push(image, 'acme/trial');
    await expect(push(image, 'acme/trial', 'prod')).rejects.toThrow(/403.*A trial is no production/);
    const tagged = await read(`/v2/acme/trial/manifests/${image.digest}?tag=2&tag=prod-2`, {
      method: 'PUT',
      headers: { 'content-type': image.mediaType },
      body: image.manifest,
    });
    expect(tagged).toMatch(/^403 .*A trial is no production/);
    expect(await read('/v2/acme/trial/tags/list')).toContain('"tags":["1"]');
  });

  it('is told of one that goes, too', async () => {
    const labels = { keep: 'yes' };
    const image = await makeImage({ name: 'acme/kept', busybox: false, labels, files: { '/a': 'kept' } });
    await push(image, 'acme/kept');
    for (const reference of ['1', image.digest])
      expect(await read(`/v2/acme/kept/manifests/${reference}`, { method: 'DELETE' })).toMatch(
        /^403 .*to be kept/,
      );
    expect(await read('/v2/acme/kept/manifests/1')).toMatch(/^200/);
  });

  it('does not pass where clients would read it otherwise', async () => {
    const image = await makeImage({ name: 'acme/twin', busybox: false, files: { '/a': 'twin' } });
    const config = (change: (text: string) => string): TestImage => {
      const content = Buffer.from(change(image.config.content.toString()));
      const digest = sha256(content);
      const manifest = image.manifest
        .replace(image.config.digest, digest)
        .replace(/"size":\d+/, `"size":${content.length}`);
      return { ...image, manifest, digest: sha256(manifest), config: { digest, content } };
    };
    const twin = config((text) => text.replace('"User":"1000:1000"', '"User":"1000:1000","user":"root"'));
    await expect(push(twin, 'acme/twin')).rejects.toThrow(/400.*MANIFEST_INVALID.*is spelt \\?\\?"User/);
    const labelled = config((text) =>
      text.replace('"Labels":{', `"Labels":{"long":"${'x'.repeat(70_000)}",`),
    );
    await expect(push(labelled, 'acme/twin')).rejects.toThrow(/400.*64 KiB of labels/);
    const digests = image.manifest.replace('"config":{', `"config":{"Digest":"${twin.config.digest}",`);
    const descriptor = { ...image, manifest: digests, digest: sha256(digests) };
    await expect(push(descriptor, 'acme/twin')).rejects.toThrow(/400.*MANIFEST_INVALID.*is spelt/);
    expect(await read('/v2/acme/twin/tags/list')).not.toContain('"1"');
  });

  it('is less for what is no container image', async () => {
    const config = Buffer.from('{}');
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.example.thing',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(config), size: 2 },
      layers: [],
    });
    const thing: TestImage = {
      ...(await makeImage({ name: 'acme/thing', busybox: false })),
      ...{ manifest, digest: sha256(manifest), mediaType: 'application/vnd.oci.image.manifest.v1+json' },
      ...{ config: { digest: sha256(config), content: config }, layers: [] },
    };
    await push(thing, 'acme/thing');
    expect(await read('/v2/acme/thing/manifests/1')).toMatch(/^200/);
  });
});
