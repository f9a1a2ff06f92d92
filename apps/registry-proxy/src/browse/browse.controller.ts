import { Controller } from '@nestjs/common';
import { ActionPipeline, Performs, requireActor } from '@berth/actions';
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
  type ResourceRef,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { listIntent } from '../http/image-intent.js';
import { OciError } from '../http/oci-error.js';
import { NameReader } from '../http/name-reader.js';
import { isNameProblem, type RepositoryName } from '../names/repository-name.js';
import { ImageRemoval } from '../remove/image-removal.js';
import { Repositories } from './repositories.js';

const PLATFORM: ResourceRef = { type: 'Platform', id: 'berth' };

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

  /** Without a team: all for an admin, and of everyone else's teams those that policy lets them see. */
  @Handles(registryRpc.repositories)
  @Performs(actions.repositoryList)
  async list({ team, ...page }: ListRepositories): Promise<Page<Repository>> {
    const { admin, teams } = requireActor();
    const asked =
      team !== undefined ? [team] : admin || teams.length === 0 ? null : teams.map((of) => of.team);
    const action = actions.repositoryList;
    if (asked === null) {
      const intent = { action, resource: PLATFORM, context: {} };
      return this.pipeline.read(intent, () => this.repositories.page(page, null));
    }
    for (const name of asked.slice(1))
      await this.pipeline.authorize({ action, resource: ofTeam(name), context: {} });
    return this.pipeline.read({ action, resource: ofTeam(asked[0]!), context: {} }, () =>
      this.repositories.page(page, asked),
    );
  }

  @Handles(registryRpc.tags)
  @Performs(actions.imageList)
  tags(request: ListImageTags): Promise<Page<ImageTag>> {
    const name = this.read(request.repository);
    return this.pipeline.read(listIntent(name), async () => {
      if (await this.catalog.hasRepository(name.name)) return this.repositories.tags(request);
      throw new BerthError('NOT_FOUND', `There is no repository "${name.name}".`);
    });
  }

  @Handles(registryRpc.remove)
  @Performs(actions.imageDelete)
  async remove({ repository, reference }: RemoveImage): Promise<Record<string, never>> {
    try {
      await this.removal.remove(this.read(repository), reference);
      return {};
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      // In the words of the platform: there is none, or something else stands in the way.
      const code = error.status === 404 ? 'NOT_FOUND' : 'CONFLICT';
      throw new BerthError(code, `${error.message}.`, {}, { cause: error });
    }
  }

  private read(text: string): RepositoryName {
    const name = this.names.read(text);
    if (!isNameProblem(name)) return name;
    throw new BerthError('NOT_FOUND', name.message);
  }
}

function ofTeam(team: string): ResourceRef {
  return { type: 'Team', id: team, team };
}
