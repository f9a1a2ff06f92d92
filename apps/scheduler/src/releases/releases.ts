import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  toPage,
  type Page,
  type Release,
  type schedulerRpc,
} from '@berth/contracts';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
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

  /**
   * A release that ran in an environment, by its digest or the beginning of it. Throws NOT_FOUND where none did, CONFLICT
   * where several begin so, or where it was made before releases could be rendered again.
   */
  async ranIn(environment: EnvironmentEntity, prefix: string): Promise<ReleaseEntity> {
    const digest = prefix.startsWith('sha256:') ? prefix : `sha256:${prefix}`;
    const found = await this.releases
      .createQueryBuilder('release')
      .where('release.project = :project AND starts_with(release.digest, :digest)', {
        ...{ project: environment.project, digest },
      })
      .andWhere(
        'EXISTS (SELECT 1 FROM deployments d WHERE d.environment_id = :id AND d.release = release.digest)',
        { id: environment.id },
      )
      .limit(2)
      .getMany();
    if (found.length === 0)
      throw new BerthError(
        'NOT_FOUND',
        `No release ${prefix} ran in "${environment.project}.${environment.name}". "berth releases" lists those that did.`,
      );
    if (found.length > 1)
      throw new BerthError('CONFLICT', `Several releases begin with ${prefix}. Give more of its digits.`);
    return renderable(found[0]);
  }

  /** The release of this digest. Throws like `ranIn`. */
  async get(project: string, digest: string): Promise<ReleaseEntity> {
    const release = await this.releases.findOneBy({ project, digest });
    if (!release) throw new BerthError('NOT_FOUND', `Project "${project}" has no release ${digest}.`);
    return renderable(release);
  }

  /** The one that ran in an environment before the present one; null where there was none. */
  async before(environment: EnvironmentEntity): Promise<ReleaseEntity | null> {
    const [found]: { release: string }[] = await this.releases.query(
      `SELECT release FROM deployments
       WHERE environment_id = $1 AND status = 'succeeded' AND release IS DISTINCT FROM $2
       ORDER BY id DESC LIMIT 1`,
      [environment.id, environment.release],
    );
    return found ? this.get(environment.project, found.release) : null;
  }
}

function renderable(release: ReleaseEntity): ReleaseEntity {
  if (typeof release.spec.compose === 'string') return release;
  throw new BerthError(
    'CONFLICT',
    `The release ${release.digest} was made by an older version of Berth. Deploy its Compose file again.`,
  );
}
