import { Controller } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { ActionPipeline, Performs } from '@berth/actions';
import { actions, BerthError, registryRpc, type ResolveImage, type ResolvedImage } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { FoundImages } from '../facts/found-images.js';
import { pullIntent } from '../http/image-intent.js';
import { isReferenceProblem, parseImageReference } from '../names/image-reference.js';
import { ImageResolver } from './image-resolver.js';
import { ReferenceSettings } from './reference-settings.js';

/** What the scheduler asks before a release: which image a reference of a Compose file means. */
@Controller()
export class ResolveController {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly resolver: ImageResolver,
    private readonly settings: ReferenceSettings,
    private readonly http: HttpAdapterHost,
    private readonly found: FoundImages,
  ) {}

  @Handles(registryRpc.resolve)
  @Performs(actions.imagePull)
  async resolve({ reference, platform }: z.output<typeof ResolveImage>): Promise<ResolvedImage> {
    const image = parseImageReference(reference, this.settings.context(this.ownPort()));
    if (isReferenceProblem(image)) throw new BerthError(image.code, image.message);
    const asked = image.digest ?? image.tag ?? 'latest';
    return this.pipeline.reveal(pullIntent(image.repository, asked), async () => {
      const { image: result, launched } = await this.resolver.resolve(reference, image, platform);
      return { result, outcome: await this.found.pulled(image.repository, asked, launched) };
    });
  }

  private ownPort(): number | null {
    const address = this.http.httpAdapter.getHttpServer().address() as AddressInfo | string | null;
    return typeof address === 'object' ? (address?.port ?? null) : null;
  }
}
