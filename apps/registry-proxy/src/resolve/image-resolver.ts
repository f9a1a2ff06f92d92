import { BerthError, type ResolvedImage } from '@berth/contracts';
import { algorithmOf, isDigest, type Digest } from '../names/digest.js';
import type { ImageReference } from '../names/image-reference.js';
import type { RepositoryName } from '../names/repository-name.js';
import { readSmallBlob } from '../pull/blob-bytes.js';
import type { BlobPulls } from '../pull/blob-pulls.js';
import { ManifestProblem, readManifest, type ManifestContent } from '../pull/manifest-content.js';
import type { ManifestPulls, PulledManifest } from '../pull/manifest-pulls.js';
import { CONFIG_LIMIT, readImageConfig, type ImageFacts } from './image-config.js';
import { chooseEntry, platformsOf, platformText, runsOn, type Platform } from './platforms.js';

/** Finds what an engine would launch for a reference, and what its config says, without pulling its layers. */
export class ImageResolver {
  constructor(
    private readonly manifests: ManifestPulls,
    private readonly blobs: BlobPulls,
  ) {}

  async resolve(
    written: string,
    image: ImageReference,
    wanted: Platform,
  ): Promise<{ image: ResolvedImage; launched: PulledManifest }> {
    const { repository } = image;
    const named = await this.manifest(written, repository, image.digest ?? image.tag ?? 'latest');
    const index = this.read(written, named);
    const platform =
      index.config === null
        ? await this.launchable(written, repository, index, wanted)
        : { ...named, content: index };
    const facts = await this.facts(written, repository, platform.content);
    if (!runsOn(facts.platform, wanted)) throw mismatch(written, wanted, [platformText(facts.platform)]);
    const found = {
      reference: written,
      repository: repository.name,
      digest: named.digest,
      platformDigest: platform.digest,
      mediaType: named.mediaType,
      size: platform.content.layers.reduce((sum, layer) => sum + layer.size, 0),
      cached: named.cached && platform.cached,
      config: facts.config,
    };
    return { image: found, launched: platform };
  }

  private async launchable(
    written: string,
    repository: RepositoryName,
    index: ManifestContent,
    wanted: Platform,
  ) {
    const entry = chooseEntry(index.entries, wanted);
    if (entry === null || !isDigest(entry.digest))
      throw mismatch(written, wanted, platformsOf(index.entries));
    const manifest = await this.manifest(written, repository, entry.digest);
    const content = this.read(written, manifest);
    if (content.config === null) throw notAnImage(written, 'its index lists another index for this platform');
    return { ...manifest, content };
  }

  private async manifest(written: string, name: RepositoryName, reference: string): Promise<PulledManifest> {
    const found = await this.manifests
      .find(name, isDigest(reference) ? { digest: reference } : { tag: reference })
      .catch((error: unknown) => {
        // Docker Hub does not tell a private repository from none; to whoever mistyped a name it is none.
        if (error instanceof BerthError && error.extensions.failure === 'refused') {
          throw new BerthError(
            'IMAGE_NOT_FOUND',
            `"${written}" was not found: ${error.message}`,
            {},
            { cause: error },
          );
        }
        throw error;
      });
    if (found !== null && algorithmOf(found.digest) !== 'sha256')
      throw notAnImage(written, 'it goes by a sha512 digest, and only what goes by sha256 is launched');
    if (found !== null) return found;
    const what = isDigest(reference) ? `the digest ${reference}` : `a tag "${reference}"`;
    throw new BerthError(
      'IMAGE_NOT_FOUND',
      `"${written}" was not found: ${name.name} has no image with ${what}. Check the name, or push it first.`,
    );
  }

  private read(written: string, { bytes, mediaType }: PulledManifest): ManifestContent {
    try {
      return readManifest(bytes, mediaType);
    } catch (error) {
      if (error instanceof ManifestProblem) throw notAnImage(written, error.message);
      throw error;
    }
  }

  private async facts(
    written: string,
    repository: RepositoryName,
    content: ManifestContent,
  ): Promise<ImageFacts> {
    const digest = content.config?.digest as Digest;
    const source = await this.blobs.open(repository, digest);
    if (source === null) throw notAnImage(written, `its config ${digest} is missing`);
    const bytes = await readSmallBlob(source, CONFIG_LIMIT);
    const facts = bytes === null ? null : readImageConfig(bytes);
    if (facts === null) throw notAnImage(written, `${digest} is not the config of a container image`);
    return facts;
  }
}

function mismatch(written: string, wanted: Platform, platforms: string[]): BerthError {
  const there = platforms.length === 0 ? 'no platform that it names' : platforms.join(', ');
  return new BerthError(
    'IMAGE_PLATFORM_MISMATCH',
    `"${written}" is not built for ${platformText(wanted)}; it is there for ${there}.`,
    { platforms },
  );
}

function notAnImage(written: string, why: string): BerthError {
  return new BerthError('IMAGE_NOT_FOUND', `"${written}" is no image that can be launched: ${why}.`);
}
