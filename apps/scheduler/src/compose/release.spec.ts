import { readCompose } from './read-compose.js';
import {
  canonicalJson,
  pinImages,
  releaseDigest,
  render,
  type ReleaseSpec,
  type RunSettings,
} from './release.js';
import { startOrder } from './start-order.js';

const pinned = (digit: string) => ({
  repository: 'docker.io/library/a',
  digest: `sha256:${digit.repeat(64)}`,
});
const release = (compose: string, digit = '1'): ReleaseSpec => {
  const { services } = readCompose(compose, {}).spec;
  const images = Object.entries(services).map(([name, { image }]) => {
    return [name, { ...pinned(digit), reference: image, user: '', hasHealthcheck: false }] as const;
  });
  return { compose, images: Object.fromEntries(images) };
};
const settings = (settings: Partial<RunSettings> = {}): RunSettings => ({
  ...{ variables: {}, overrides: {}, restarts: {}, backings: {}, ...settings },
});

describe('a release', () => {
  it('has one name for one content, however it is written', () => {
    const short = release(
      'x-c: &c {A: 1}\nservices: {b: {image: a, environment: {B: 2, <<: *c}}, a: {image: a}}',
    );
    const long = release(
      '# note\nname: shop\nservices:\n  a: {image: a}\n  b:\n    environment: {A: 1, B: "2"}\n    image: a\n',
    );
    expect(releaseDigest(short)).toBe(releaseDigest(long));
    expect(releaseDigest(short)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('has one name in every environment, and is rendered for each', () => {
    const shop = release('services: {web: {image: "a:${TAG:-1}", environment: {LEVEL: "${LEVEL:-info}"}}}');
    const dev = render(shop, settings({ variables: { TAG: '2', LEVEL: 'debug' } })).spec.services.web;
    const prod = render(
      shop,
      settings({
        overrides: { web: { replicas: 3, nanoCpus: 5e8, memoryBytes: 1e9 }, gone: { replicas: 9 } },
        restarts: { web: 2 },
      }),
    ).spec.services.web;
    expect(dev).toMatchObject({ image: 'a:1', environment: { LEVEL: 'debug' }, replicas: 1, restarts: 0 });
    expect(prod).toMatchObject({ image: 'a:1', environment: { LEVEL: 'info' }, replicas: 3, restarts: 2 });
    expect(prod.limits).toEqual({ nanoCpus: 5e8, memoryBytes: 1e9, pids: 512 });
    expect(prod.pinned).toEqual(dev.pinned);
  });

  it('keeps its images where a variable that named them is not set', () => {
    const compose = 'services: {web: {image: "${IMAGE:?which image}"}}';
    const images = { web: { ...pinned('1'), reference: 'mine:1', user: '', hasHealthcheck: false } };
    expect(render({ compose, images }, settings()).spec.services.web.image).toBe('mine:1');
  });

  it('has another name for another image or another setting', () => {
    const names = [
      releaseDigest(release('services: {a: {image: a}}')),
      releaseDigest(release('services: {a: {image: a}}', '2')),
      releaseDigest(release('services: {a: {image: a, user: app}}')),
    ];
    expect(new Set(names).size).toBe(3);
  });

  it('is written with sorted keys and without what is undefined', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'é', x: undefined })).toBe(
      '{"a":"é","b":[{"c":null,"d":1}]}',
    );
  });

  it('cannot be made with an image missing', () => {
    expect(() => pinImages(readCompose('services: {a: {image: a}}', {}).spec, new Map())).toThrow(
      'service a',
    );
  });
});

describe('the order of starting', () => {
  const service = (...names: string[]) => ({
    dependsOn: Object.fromEntries(names.map((name) => [name, 'started' as const])),
  });
  it('is in waves', () => {
    const order = startOrder({
      web: service('api'),
      api: service('db', 'cache'),
      db: service(),
      cache: service(),
    });
    expect(order).toEqual({ waves: [['cache', 'db'], ['api'], ['web']] });
  });
  it('names a circle, and only those on it', () => {
    expect(startOrder({ a: service('b'), b: service('c'), c: service('b'), d: service() })).toEqual({
      cycle: ['b', 'c', 'b'],
    });
  });
});
