import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ActionPipeline } from '@berth/actions';
import { imageDeleted } from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { FoundImages } from '../facts/found-images.js';
import { deleteIntent } from '../http/image-intent.js';
import { requireReference } from '../http/require-reference.js';
import { OciError } from '../http/oci-error.js';
import type { RepositoryName } from '../names/repository-name.js';
import { ManifestRemovals, type Removed } from './manifest-removals.js';

/** Deletes, as the one action that they are, whichever door they come in by. Throws OciError. */
@Injectable()
export class ImageRemoval {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly removals: ManifestRemovals,
    private readonly catalog: ImageCatalog,
    private readonly found: FoundImages,
  ) {}

  /** By a tag that tag, by a digest the image with all its tags; not where `unless` throws. */
  remove(
    name: RepositoryName,
    reference: string,
    unless: (transaction: EntityManager) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    return this.change(name, reference, async (repository, transaction) => {
      await unless(transaction);
      return this.removals.remove(repository, requireReference(reference, 'MANIFEST_UNKNOWN'), transaction);
    });
  }

  removeBlob(name: RepositoryName, digest: string): Promise<void> {
    return this.change(name, digest, (repository, transaction) =>
      this.removals.removeBlob(repository, digest, transaction),
    );
  }

  private async change(
    name: RepositoryName,
    reference: string,
    take: (repository: string, transaction: EntityManager) => Promise<Removed>,
  ): Promise<void> {
    if (name.kind !== 'hosted') {
      throw new OciError(
        'UNSUPPORTED',
        `${name.name} is pulled through from ${name.upstream}; what is deleted here is pulled again`,
      );
    }
    await this.pipeline.change(deleteIntent(name, reference), async (transaction) => {
      const removed = await take(name.name, transaction);
      const told = { repository: name.name, reference, digest: removed.digest };
      return {
        result: removed,
        outcome: await this.found.removed(name, reference, removed),
        events: [draftEvent(imageDeleted, { team: name.team }, told)],
      };
    });
    this.catalog.changed(name.name);
  }
}
