import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { manifestUnknown, OciError } from '../http/oci-error.js';
import { isDigest, type Digest } from '../names/digest.js';
import type { ManifestReference } from '../names/tag.js';

export interface Removed {
  digest: Digest;
  mediaType: string;
}

const BLOB_TYPE = 'application/octet-stream';

/** Takes tags, manifests and blobs away (OCI distribution spec 1.1, "Content Management"). The bytes of what nothing names stay in the store. */
@Injectable()
export class ManifestRemovals {
  /**
   * By its tag: the tag alone. By its digest: the manifest with all its tags. Answers what it was. Throws MANIFEST_UNKNOWN, and
   * UNSUPPORTED for one that an index lists: the index could not be pulled any more.
   */
  async remove(
    repository: string,
    reference: ManifestReference,
    transaction: EntityManager,
  ): Promise<Removed> {
    if (reference.tag !== undefined) return this.removeTag(repository, reference.tag, transaction);
    const { digest } = reference;
    // Held against whoever pushes an index that lists it: see `hasManifests`.
    const [held]: { mediaType: string }[] = await transaction.query(
      'SELECT media_type AS "mediaType" FROM manifests WHERE repository = $1 AND digest = $2 FOR UPDATE',
      [repository, digest],
    );
    if (!held) throw manifestUnknown(repository, digest);
    const [listing]: { manifest: string }[] = await transaction.query(
      `SELECT manifest FROM manifest_parts WHERE repository = $1 AND digest = $2 AND role = 'manifest' LIMIT 1`,
      [repository, digest],
    );
    if (listing) {
      throw new OciError(
        'UNSUPPORTED',
        `${digest} is listed by the index ${listing.manifest}; delete that first`,
        { detail: { index: listing.manifest } },
      );
    }
    await transaction.query('DELETE FROM manifests WHERE repository = $1 AND digest = $2', [
      repository,
      digest,
    ]);
    return { digest, ...held };
  }

  /**
   * Lets a repository hold a blob no more. Throws BLOB_UNKNOWN, and UNSUPPORTED for one that a manifest here names:
   * it could not be pulled any more.
   */
  async removeBlob(repository: string, reference: string, transaction: EntityManager): Promise<Removed> {
    const unknown = (): OciError =>
      new OciError('BLOB_UNKNOWN', `${repository} has no blob ${reference.slice(0, 200)}`);
    if (!isDigest(reference)) throw unknown();
    // Held against whoever pushes a manifest that names it: see `linkedAmong`.
    const [held]: unknown[] = await transaction.query(
      'SELECT FROM blob_links WHERE repository = $1 AND digest = $2 FOR UPDATE',
      [repository, reference],
    );
    if (!held) throw unknown();
    const [naming]: { manifest: string }[] = await transaction.query(
      `SELECT manifest FROM manifest_parts WHERE repository = $1 AND digest = $2 AND role <> 'manifest' LIMIT 1`,
      [repository, reference],
    );
    if (naming) {
      throw new OciError('UNSUPPORTED', `${reference} is part of ${naming.manifest}; delete that first`, {
        detail: { manifest: naming.manifest },
      });
    }
    await transaction.query('DELETE FROM blob_links WHERE repository = $1 AND digest = $2', [
      repository,
      reference,
    ]);
    return { digest: reference, mediaType: BLOB_TYPE };
  }

  private async removeTag(repository: string, tag: string, transaction: EntityManager): Promise<Removed> {
    const [removed]: [Removed[], number] = await transaction.query(
      `DELETE FROM tags t USING manifests m WHERE t.repository = $1 AND t.name = $2
       AND m.repository = t.repository AND m.digest = t.digest RETURNING t.digest, m.media_type AS "mediaType"`,
      [repository, tag],
    );
    if (removed.length === 0) throw manifestUnknown(repository, tag);
    return removed[0];
  }
}
