import { readCompose } from './read-compose.js';
import { canonicalJson, pinImages, releaseDigest } from './release.js';
import { startOrder } from './start-order.js';

const pinned = (digit: string) => ({
  repository: 'docker.io/library/a',
  digest: `sha256:${digit.repeat(64)}`,
});
const release = (text: string, digit = '1') => {
  const { spec } = readCompose(text, {});
  return pinImages(spec, new Map(Object.keys(spec.services).map((name) => [name, pinned(digit)])));
};

describe('a release', () => {
  it('has one name for one content, however it is written', () => {
    const short = release('services: {b: {image: a, environment: [A=1, B=2]}, a: {image: a}}');
    const long = release('services:\n  a: {image: a}\n  b:\n    environment: {B: "2", A: 1}\n    image: a\n');
    expect(releaseDigest(short)).toBe(releaseDigest(long));
    expect(releaseDigest(short)).toMatch(/^sha256:[0-9a-f]{64}$/);
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
