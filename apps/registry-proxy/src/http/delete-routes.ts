import { Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions, imageDeleted } from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import type { EntityManager } from 'typeorm';
import type { Digest } from '../names/digest.js';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { ManifestRemovals } from '../remove/manifest-removals.js';
import type { Exchange } from './exchange.js';
import { deleteIntent } from './image-intent.js';
import { requireReference } from './manifest-reference.js';
import { OciError } from './oci-error.js';
import type { Route, Target } from './route.js';

/** The routes that take away (OCI distribution spec 1.1, "Content Management"). */
@Injectable()
export class DeleteRoutes {
  readonly routes: readonly Route[] = [
    {
      id: '/v2/<name>/manifests/<reference>',
      methods: ['DELETE'],
      pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
      performs: actions.imageDelete,
      handle: (exchange, target) =>
        this.remove(exchange, target, (name, transaction) =>
          this.removals.remove(name, requireReference(target.reference, 'MANIFEST_UNKNOWN'), transaction),
        ),
    },
    {
      id: '/v2/<name>/blobs/<digest>',
      methods: ['DELETE'],
      pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
      performs: actions.imageDelete,
      handle: (exchange, target) =>
        this.remove(exchange, target, (name, transaction) =>
          this.removals.removeBlob(name, target.reference, transaction),
        ),
    },
  ];

  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly removals: ManifestRemovals,
    private readonly catalog: ImageCatalog,
  ) {}

  private async remove(
    exchange: Exchange,
    { name, reference }: Target,
    take: (repository: string, transaction: EntityManager) => Promise<Digest>,
  ): Promise<void> {
    if (name.kind !== 'hosted') {
      throw new OciError(
        'UNSUPPORTED',
        `${name.name} is pulled through from ${name.upstream}; what is deleted here is pulled again`,
      );
    }
    await this.pipeline.change(deleteIntent(name, reference), async (transaction) => {
      const digest = await take(name.name, transaction);
      const told = { repository: name.name, reference, digest };
      return {
        result: digest,
        outcome: {},
        events: [draftEvent(imageDeleted, { team: name.team }, told)],
      };
    });
    this.catalog.changed(name.name);
    exchange.answer(202, {}, '');
  }
}
