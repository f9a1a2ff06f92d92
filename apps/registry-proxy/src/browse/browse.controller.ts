import { Controller } from '@nestjs/common';
import { ActionPipeline, Performs, readOfTeams } from '@berth/actions';
import {
  actions,
  BerthError,
  registryRpc,
  type ImageTag,
  type ListImageTags,
  type ListRepositories,
  type Page,
  type RemoveImage,
  type Repository,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { listIntent } from '../http/image-intent.js';
import { OciError } from '../http/oci-error.js';
import { NameReader } from '../http/name-reader.js';
import { ImageRemoval } from '../remove/image-removal.js';
import { Repositories } from './repositories.js';

/** What people look at and take away by the gateway. */
@Controller()
export class BrowseController {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly repositories: Repositories,
    private readonly catalog: ImageCatalog,
    private readonly names: NameReader,
    private readonly removal: ImageRemoval,
  ) {}

  /** Of a team, or of all whose images the actor may see. */
  @Handles(registryRpc.repositories)
  @Performs(actions.repositoryList)
  list({ team, ...page }: ListRepositories): Promise<Page<Repository>> {
    return readOfTeams(this.pipeline, actions.repositoryList, team, (teams) =>
      this.repositories.page(page, teams),
    );
  }

  @Handles(registryRpc.tags)
  @Performs(actions.imageList)
  tags(request: ListImageTags): Promise<Page<ImageTag>> {
    const name = this.names.require(request.repository);
    return this.pipeline.read(listIntent(name), async () => {
      if (await this.catalog.hasRepository(name.name)) return this.repositories.tags(request);
      throw new BerthError('NOT_FOUND', `There is no repository "${name.name}".`);
    });
  }

  @Handles(registryRpc.remove)
  @Performs(actions.imageDelete)
  async remove({ repository, reference }: RemoveImage): Promise<Record<string, never>> {
    try {
      await this.removal.remove(this.names.require(repository), reference);
      return {};
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      // In the words of the platform: there is none, or something else stands in the way.
      const code = error.status === 404 ? 'NOT_FOUND' : 'CONFLICT';
      throw new BerthError(code, `${error.message}.`, {}, { cause: error });
    }
  }
}
