import { readManifest } from './manifest-content.js';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from './media-types.js';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const descriptor = (letter: string, size = 1): object => ({ mediaType: 'x', digest: digest(letter), size });
const image = {
  schemaVersion: 2,
  config: descriptor('c', 7),
  layers: [descriptor('a', 1), descriptor('b', 2)],
};
const read = (document: object, mediaType = OCI_MANIFEST) =>
  readManifest(Buffer.from(JSON.stringify(document)), mediaType);

describe('a manifest', () => {
  it('of an image names its config and layers, each once', () => {
    const content = read({ ...image, layers: [...image.layers, descriptor('a', 1)] });
    expect(content.parts).toEqual([
      { digest: digest('c'), size: 7, role: 'config' },
      { digest: digest('a'), size: 1, role: 'layer' },
      { digest: digest('b'), size: 2, role: 'layer' },
    ]);
    expect(content.layers).toHaveLength(3);
    expect(content.subject).toBeNull();
  });

  it('need not have here what lies elsewhere by licence', () => {
    const foreign = { ...descriptor('d'), urls: ['https://example.org/layer'] };
    expect(read({ ...image, layers: [foreign] }).parts.map(({ role }) => role)).toEqual(['config']);
  });

  it('of an index names manifests, with their platforms', () => {
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
    const content = read(
      { schemaVersion: 2, manifests: [{ ...descriptor('a'), platform }, descriptor('b')] },
      OCI_INDEX,
    );
    expect(content.entries.map((entry) => entry.platform)).toEqual([platform, null]);
    expect(content.parts.map(({ role }) => role)).toEqual(['manifest', 'manifest']);
  });

  it('may say what it is about', () => {
    expect(read({ ...image, subject: descriptor('e') }).subject).toBe(digest('e'));
  });

  it.each([
    ['of docker without its media type', image, DOCKER_MANIFEST],
    ['of another media type than sent as', { ...image, mediaType: OCI_INDEX }, OCI_MANIFEST],
    ['that is both image and index', { ...image, manifests: [] }, OCI_MANIFEST],
    ['of schema 1', { ...image, schemaVersion: 1 }, OCI_MANIFEST],
    ['of an unknown type', image, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    [
      'with a digest that is none',
      { ...image, config: { ...image.config, digest: 'sha256:..' } },
      OCI_MANIFEST,
    ],
    ['with a negative size', { ...image, config: { ...image.config, size: -1 } }, OCI_MANIFEST],
    [
      'an index that is sent as an image',
      { schemaVersion: 2, mediaType: DOCKER_LIST, manifests: [] },
      DOCKER_MANIFEST,
    ],
  ])('%s is refused', (_what, document, mediaType) => {
    expect(() => read(document, mediaType)).toThrow();
  });
});
