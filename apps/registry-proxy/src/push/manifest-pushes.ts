import type { EntityManager } from 'typeorm';
import { lockBlob } from '../catalog/blob-filing.js';
import type { ImageCatalog } from '../catalog/image-catalog.js';
import { algorithmOf, digestOf, isDigest, type Digest } from '../names/digest.js';
import type { HostedName } from '../names/repository-name.js';
import type { ManifestReference } from '../names/tag.js';
import { ManifestProblem, readManifest, type ManifestContent } from '../pull/manifest-content.js';
import type { ManifestStore } from '../pull/manifest-store.js';
import type { StorageQuota } from '../quota/storage-quota.js';
import type { BlobStore } from '../store/blob-store.js';
import { OciError } from '../http/oci-error.js';

export interface PushedManifest {
  digest: Digest;
  mediaType: string;
  /** Bytes. */
  size: number;
  content: ManifestContent;
  bytes: Buffer;
}

/** Takes manifests in (OCI distribution spec 1.1, "Pushing manifests"): byte for byte, and only with all that they name. */
export class ManifestPushes {
  constructor(
    private readonly catalog: ImageCatalog,
    private readonly manifests: ManifestStore,
    private readonly blobs: BlobStore,
    private readonly quota: StorageQuota,
  ) {}

  /** What was sent, read and held against its reference. Throws OciError. */
  read(reference: ManifestReference, mediaType: string, bytes: Buffer): PushedManifest {
    const digest = digestOf(bytes, reference.digest && algorithmOf(reference.digest));
    if (reference.digest !== undefined && reference.digest !== digest) {
      throw new OciError('DIGEST_INVALID', `the manifest has the digest ${digest}, not ${reference.digest}`);
    }
    try {
      return { digest, mediaType, size: bytes.length, content: readManifest(bytes, mediaType), bytes };
    } catch (error) {
      if (error instanceof ManifestProblem)
        throw new OciError('MANIFEST_INVALID', `the manifest is not valid: ${error.message}`);
      throw error;
    }
  }

  /** Throws OciError, and QUOTA_EXCEEDED. */
  async put(
    name: HostedName,
    tags: readonly string[],
    manifest: PushedManifest,
    transaction: EntityManager,
  ): Promise<void> {
    const { digest, size, content } = manifest;
    const limit = await this.quota.limitOf(name.team);
    await this.requireParts(name.name, content, transaction);
    await lockBlob(transaction, digest);
    await this.quota.requireFor(limit, digest, size, transaction);
    await this.manifests.put(digest, manifest.bytes);
    await this.catalog.putManifest(name, manifest, tags, transaction);
  }

  private async requireParts(
    repository: string,
    content: ManifestContent,
    transaction: EntityManager,
  ): Promise<void> {
    const digests = (inManifests: boolean): Digest[] =>
      content.parts
        .filter(({ role }) => (role === 'manifest') === inManifests)
        .map(({ digest }) => digest)
        .filter(isDigest);
    const blobs = digests(false);
    const manifests = digests(true);
    const linked = await this.catalog.linkedAmong(repository, blobs, transaction);
    const held = await this.catalog.hasManifests(repository, manifests, transaction);
    const missing: string[] = manifests.filter((digest) => !held.has(digest));
    // The store has the last word: a row is no bytes.
    for (const digest of blobs) {
      if (!linked.has(digest) || (await this.blobs.size(digest)) === null) missing.push(digest);
    }
    if (missing.length === 0) return;
    throw new OciError(
      'MANIFEST_BLOB_UNKNOWN',
      `the manifest names what ${repository} does not hold: ${missing.join(', ')}`,
      { detail: missing.map((digest) => ({ digest })) },
    );
  }
}
