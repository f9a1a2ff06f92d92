import { Controller } from '@nestjs/common';
import { ActionPipeline, Performs } from '@berth/actions';
import { actions, BerthError, registryRpc, type ImageDetails, type InspectImage } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { FoundImages } from '../facts/found-images.js';
import { pullIntent } from '../http/image-intent.js';
import { NameReader } from '../http/name-reader.js';
import { parseManifestReference } from '../names/tag.js';
import { readManifest } from '../pull/manifest-content.js';
import { ManifestPulls } from '../pull/manifest-pulls.js';
import { platformText } from '../resolve/platforms.js';

/** What an image is, for people; as the `image.pull` of whoever asks. */
@Controller()
export class InspectionController {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly manifests: ManifestPulls,
    private readonly found: FoundImages,
    private readonly names: NameReader,
  ) {}

  @Handles(registryRpc.inspect)
  @Performs(actions.imagePull)
  inspect({ repository, reference }: InspectImage): Promise<ImageDetails> {
    const name = this.names.require(repository);
    return this.pipeline.reveal(pullIntent(name, reference), async () => {
      const parsed = parseManifestReference(reference);
      const manifest = parsed && (await this.manifests.find(name, parsed));
      if (manifest === null)
        throw new BerthError('IMAGE_NOT_FOUND', `${name.name} has no image "${reference}".`);
      const outcome = await this.found.pulled(name, reference, manifest);
      const { layers, entries, artifactType, subject, annotations } = readManifest(
        manifest.bytes,
        manifest.mediaType,
      );
      const result: ImageDetails = {
        repository: name.name,
        reference,
        digest: manifest.digest,
        mediaType: manifest.mediaType,
        artifactType,
        subject,
        bytes: outcome.size,
        platforms: outcome.platforms,
        user: outcome.user ?? null,
        created: outcome.created ?? null,
        labels: Object.fromEntries(outcome.labels.map(splitLabel)),
        annotations: annotations ?? {},
        layers: layers.map(({ digest, mediaType, size }) => ({ digest, mediaType, bytes: size })),
        manifests: entries.map(({ digest, mediaType, platform }) => ({
          ...{ digest, mediaType },
          platform: platform && platformText(platform),
        })),
      };
      return { result, outcome };
    });
  }
}

function splitLabel(label: string): [string, string] {
  const at = label.indexOf('=');
  return [label.slice(0, at), label.slice(at + 1)];
}
