import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import { actions, positionOf, toPage, type Page, type Release, type schedulerRpc } from '@berth/contracts';
import { environmentResource } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { ReleaseEntity, toRelease } from './release.entity.js';

type List = z.infer<typeof schedulerRpc.listReleases.request>;

/** What was deployed to an environment, each release once, the newest first. */
@Injectable()
export class ReleasesService {
  constructor(
    @InjectRepository(ReleaseEntity) private readonly releases: Repository<ReleaseEntity>,
    private readonly environments: EnvironmentsService,
    private readonly pipeline: ActionPipeline,
  ) {}

  async list({ project, environment: name, limit, cursor }: List): Promise<Page<Release>> {
    const environment = await this.environments.find(project, name);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.releaseList, resource, context: {} }, async () => {
      const query = this.releases
        .createQueryBuilder('release')
        .where('release.project = :project', { project })
        .andWhere(
          'EXISTS (SELECT 1 FROM deployments d WHERE d.environment_id = :id AND d.release = release.digest)',
          { id: environment.id },
        )
        .orderBy('release.created_at', 'DESC')
        .addOrderBy('release.digest', 'DESC')
        .limit(limit + 1);
      if (cursor !== undefined) {
        query.andWhere(
          `(release.created_at, release.digest) <
           (SELECT r.created_at, r.digest FROM releases r WHERE r.project = :project AND r.digest = :after)`,
          { after: positionOf(cursor, 'digest') },
        );
      }
      const found = await query.getMany();
      const show = (release: ReleaseEntity): Release => toRelease(release, environment.release);
      return toPage(found, limit, show, ({ digest }) => ({ digest }));
    });
  }

  /** The spec of a release; null when there is none. */
  async specOf(project: string, digest: string | null): Promise<ReleaseEntity['spec'] | null> {
    if (digest === null) return null;
    return (await this.releases.findOneBy({ project, digest }))?.spec ?? null;
  }
}
