import { LRUCache } from 'lru-cache';
import { BerthError, type ImageFound } from '@berth/contracts';
import { imageNamed } from '../http/image-intent.js';
import { isDigest, type Digest } from '../names/digest.js';
import type { RepositoryName } from '../names/repository-name.js';
import { readSmallBlob } from '../pull/blob-bytes.js';
import type { BlobPulls } from '../pull/blob-pulls.js';
import { ManifestProblem, readManifest, type ManifestContent } from '../pull/manifest-content.js';
import { readWhole } from '../pull/manifest-store.js';
import { MANIFEST_TYPES } from '../pull/media-types.js';
import type { BlobStore } from '../store/blob-store.js';
import { CONFIG_LIMIT } from '../resolve/image-config.js';
import { factsOf, unfit, type ImageFacts } from './image-facts.js';

interface Manifest {
  digest: Digest;
  mediaType: string;
  bytes: Buffer;
}

const MOST_REMEMBERED_BYTES = 8 * 1024 * 1024;
const DAY_MS = 86_400_000;

/** An image found, in the words that policy judges it by: what its manifest and its config say. */
export class FoundImages {
  private readonly known = new LRUCache<Digest, ImageFacts>({
    maxSize: MOST_REMEMBERED_BYTES,
    sizeCalculation: ({ labels }) => labels.reduce((sum, { length }) => sum + length, 500),
  });

  constructor(
    private readonly store: BlobStore,
    private readonly blobs: BlobPulls,
  ) {}

  /** One that is pulled: a config that is not here yet comes from the upstream, to stay. */
  pulled(name: RepositoryName, reference: string, manifest: Manifest): Promise<ImageFound> {
    return this.describe(name, reference, manifest, async (digest) => {
      const source = await this.blobs.open(name, digest);
      return source && readSmallBlob(source, CONFIG_LIMIT);
    });
  }

  /** One that goes. Also what is broken may go: of it, policy is told no more than what it was. */
  async removed(
    name: RepositoryName,
    reference: string,
    removed: Omit<Manifest, 'bytes'>,
  ): Promise<ImageFound> {
    try {
      const bytes = MANIFEST_TYPES.includes(removed.mediaType)
        ? await readWhole(this.store, removed.digest)
        : null;
      if (bytes !== null) return await this.stored(name, reference, { ...removed, bytes });
    } catch (error) {
      if (!(error instanceof BerthError && error.code === 'IMAGE_INVALID')) throw error;
    }
    return { ...imageNamed(name, reference), ...removed, size: 0, platforms: [], labels: [] };
  }

  /** One whose parts are all here, as it was just pushed. */
  stored(name: RepositoryName, reference: string, manifest: Manifest): Promise<ImageFound> {
    return this.describe(name, reference, manifest, (digest) => readWhole(this.store, digest));
  }

  private async describe(
    name: RepositoryName,
    reference: string,
    manifest: Manifest,
    readConfig: (digest: Digest) => Promise<Buffer | null>,
  ): Promise<ImageFound> {
    let facts = this.known.get(manifest.digest);
    if (facts === undefined) {
      const content = contentOf(manifest);
      facts = factsOf(manifest, content, await configOf(content, readConfig));
      this.known.set(manifest.digest, facts);
    }
    const age = facts.created === undefined ? null : Date.now() - Date.parse(facts.created);
    return {
      ...imageNamed(name, reference),
      ...facts,
      ...(age === null ? {} : { ageDays: Math.max(0, Math.floor(age / DAY_MS)) }),
    };
  }
}

function contentOf({ bytes, mediaType }: Manifest): ManifestContent {
  try {
    return readManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof ManifestProblem) throw unfit(error.message);
    throw error;
  }
}

async function configOf(
  { config }: ManifestContent,
  read: (digest: Digest) => Promise<Buffer | null>,
): Promise<Buffer | null> {
  if (config === null || !isDigest(config.digest)) return null;
  if (config.size > CONFIG_LIMIT) throw unfit(`its config has ${config.size} bytes, and 8 MiB is the most`);
  const bytes = await read(config.digest);
  if (bytes === null || bytes.length !== config.size)
    throw unfit(`its config ${config.digest} is not here as the manifest says`);
  return bytes;
}
