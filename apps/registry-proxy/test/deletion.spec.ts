import { eventually, makeImage, pushImage, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { Told } from './told.js';

const UNKNOWN = `sha256:${'0'.repeat(64)}`;
const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('what is deleted', () => {
  let people: People;
  let registry: RegistryUnderTest;
  let told: Told;
  let image: TestImage;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({
      token: people.developer,
      upstreams: { 'docker.io': { url: 'http://127.0.0.1:9' } },
    });
    told = await Told.start();
    image = await makeImage({ name: 'acme/gone', files: { '/hello.txt': 'hello' } });
  });
  afterAll(async () => {
    await told.stop();
    await registry.stop();
    await people.stop();
  });

  const push = (repository: string, ...tags: string[]): Promise<unknown> =>
    Promise.all(
      tags.map((tag) =>
        pushImage(image, registry.url, { tag, repository, authorization: `Bearer ${people.developer}` }),
      ),
    );
  const at = (repository: string, reference: string): string => `/v2/${repository}/manifests/${reference}`;
  const remove = async (path: string, as?: string): Promise<[number, string | null]> => {
    const response = await registry.fetch(path, { method: 'DELETE', ...(as && { as }) });
    const text = await response.text();
    const body = text ? (JSON.parse(text) as { errors: { code: string }[] }) : null;
    return [response.status, body && body.errors[0].code];
  };
  const status = async (path: string): Promise<number> =>
    (await registry.fetch(path, { method: 'HEAD' })).status;
  const tagsOf = async (repository: string): Promise<string[]> =>
    ((await (await registry.fetch(`/v2/${repository}/tags/list`)).json()) as { tags: string[] }).tags;

  /** An index that lists the image. */
  const putIndex = (repository: string): Promise<Response> => {
    const entry = { mediaType: image.mediaType, digest: image.digest, size: image.manifest.length };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] });
    return registry.fetch(at(repository, 'all'), { method: 'PUT', headers: { 'content-type': INDEX }, body });
  };

  it('is a tag alone, or an image with all its tags, and may be pushed again', async () => {
    await push('acme/gone', '1', '2', '3');
    expect(await remove(at('acme/gone', '1'))).toEqual([202, null]);
    expect(await tagsOf('acme/gone')).toEqual(['2', '3']);
    expect(await status(at('acme/gone', '1'))).toBe(404);
    expect(await status(at('acme/gone', image.digest))).toBe(200);
    expect(await remove(at('acme/gone', image.digest))).toEqual([202, null]);
    expect(await tagsOf('acme/gone')).toEqual([]);
    for (const reference of ['2', image.digest]) expect(await status(at('acme/gone', reference))).toBe(404);
    await push('acme/gone', '4');
    expect(await (await registry.fetch(at('acme/gone', '4'))).text()).toBe(image.manifest);
  });

  it('is told of in record and event', async () => {
    await push('acme/told', '1');
    await remove(at('acme/told', '1'));
    await eventually(async () => {
      const { records, events } = await told.refresh();
      const facts = { registry: 'berth', repository: 'acme/told', reference: '1', tag: '1' };
      expect(records).toContainEqual(
        expect.objectContaining({
          action: 'image.delete',
          outcome: 'succeeded',
          actor: 'ann',
          team: 'acme',
          request: facts,
        }),
      );
      expect(events).toContainEqual(
        expect.objectContaining({
          type: 'image.deleted.v1',
          data: { repository: 'acme/told', reference: '1', digest: image.digest },
        }),
      );
    });
  });

  it('is there, is no part of an index, and is not of an upstream', async () => {
    await push('acme/index', '1');
    const pushed = await putIndex('acme/index');
    expect(pushed.status).toBe(201);
    const index = pushed.headers.get('docker-content-digest') ?? '';
    expect(await remove(at('acme/index', image.digest))).toEqual([405, 'UNSUPPORTED']);
    expect(await remove(at('acme/index', index))).toEqual([202, null]);
    expect(await remove(at('acme/index', image.digest))).toEqual([202, null]);
    for (const reference of ['none', UNKNOWN, image.digest]) {
      expect([reference, ...(await remove(at('acme/index', reference)))]).toEqual([
        reference,
        404,
        'MANIFEST_UNKNOWN',
      ]);
    }
    expect(await remove(at('docker.io/library/nginx', '1'))).toEqual([405, 'UNSUPPORTED']);
  });

  it('is so by whoever may', async () => {
    await push('acme/kept', '1');
    expect(await remove(at('acme/kept', '1'), people.viewer)).toEqual([403, 'DENIED']);
    expect((await remove(at('acme/kept', '1'), people.stranger))[0]).toBe(404);
    expect(await status(at('acme/kept', '1'))).toBe(200);
  });

  it('leaves no index behind that lists it, however the two meet', async () => {
    for (let round = 0; round < 20; round += 1) {
      const repository = `acme/race-${round}`;
      await push(repository, '1');
      const [pushed, removed] = await Promise.all([
        putIndex(repository),
        registry.fetch(at(repository, image.digest), { method: 'DELETE' }),
      ]);
      const there = await status(at(repository, image.digest));
      expect([pushed.status, removed.status, there]).toEqual(
        pushed.status === 201 ? [201, 405, 200] : [404, 202, 404],
      );
    }
  });
});
