import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import { actions, BerthError, type Deployment, type schedulerRpc } from '@berth/contracts';
import { environmentResource } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { ReleasesService } from '../releases/releases.js';
import { Redeployment } from './redeployment.js';

type Promote = z.infer<typeof schedulerRpc.promote.request>;
type RollBack = z.infer<typeof schedulerRpc.rollBack.request>;

/** Releases on their way between environments, and back. */
@Injectable()
export class Promotions {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly releases: ReleasesService,
    private readonly pipeline: ActionPipeline,
    private readonly redeployment: Redeployment,
  ) {}

  /** Rolls out the very release that runs in another environment. Throws CONFLICT when none does, or another than asked. */
  async promote({ project, environment: name, from, release: expected }: Promote): Promise<Deployment> {
    const environment = await this.environments.find(project, name);
    const source = await this.environments.find(project, from);
    const resource = environmentResource(environment);
    const action = actions.deploymentPromote;
    const running = source.release === null ? null : await this.releases.get(project, source.release);
    const context = { from, release: source.release ?? '', releasedBy: running?.createdBy ?? '' };
    const grant = await this.pipeline.authorize({ action, resource, context });
    if (!running)
      throw new BerthError('CONFLICT', `Nothing runs in "${project}.${from}". Deploy to it first.`);
    if (expected !== undefined && expected !== source.release)
      throw new BerthError(
        'CONFLICT',
        `"${project}.${from}" runs ${source.release} by now, not ${expected}. Look at it again, then promote that.`,
      );
    return this.redeployment.of(environment, running, { cause: 'promote', asked: { action, grant } });
  }

  /** Rolls out a release that ran before: the one before the present one unless told which. */
  async rollBack({ project, environment: name, release: wanted }: RollBack): Promise<Deployment> {
    const environment = await this.environments.find(project, name);
    const resource = environmentResource(environment);
    const action = actions.deploymentRollback;
    const release =
      wanted === undefined
        ? await this.releases.before(environment)
        : await this.releases.ranIn(environment, wanted);
    const context = { release: release?.digest ?? '' };
    const grant = await this.pipeline.authorize({ action, resource, context });
    if (!release)
      throw new BerthError('CONFLICT', `No other release ran in "${project}.${name}" before this one.`);
    return this.redeployment.of(environment, release, { cause: 'rollback', asked: { action, grant } });
  }
}
