import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline, deniedError, type Grant } from '@berth/actions';
import { actions, BerthError, environmentRemoved } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { asBerthError } from '@berth/runtime';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';
import { Settlements } from '../upkeep/settlements.js';
import { environmentResource, type EnvironmentEntity } from './environment.entity.js';

/** Removes an environment with all that runs in it: first from the engine, then from the database. */
@Injectable()
export class EnvironmentRemoval {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    private readonly pipeline: ActionPipeline,
    @Inject(Outbox) private readonly outbox: Outbox,
    private readonly settlements: Settlements,
  ) {}

  /**
   * Throws DEPLOYMENT_IN_PROGRESS while one is under way, and ENGINE_UNAVAILABLE when the engine is away: then all is as
   * before, but for what was removed already. Doing it again goes on.
   */
  async remove(environment: EnvironmentEntity, volumes: boolean): Promise<Record<string, never>> {
    const action = actions.environmentRemove;
    const resource = environmentResource(environment);
    const grant = await this.pipeline.authorize({ action, resource, context: { volumes } });
    try {
      await this.engine.prepare();
      await this.block(environment);
      // It has no facts but that it is done, and cannot be undone: so it is asked about before.
      const verdict = await this.pipeline.judge(action, grant, {});
      if (verdict && !verdict.allowed) throw deniedError(action, resource, verdict);
      const target = { project: environment.project, environment: environment.name };
      await this.engine.remove(target, { network: true, volumes });
      await this.forget(environment, grant);
      return {};
    } catch (thrown) {
      await this.unblock(environment);
      const error = asBerthError(thrown);
      const outcome = error.code === 'POLICY_DENIED' ? 'denied' : 'failed';
      await this.pipeline.recordAlone(grant, { outcome, code: error.code, reason: error.message });
      throw thrown;
    }
  }

  /** From here on nothing is deployed to it. */
  private async block({ id, project, name }: EnvironmentEntity): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      await transaction.query('UPDATE environments SET removing_since = now() WHERE id = $1', [id]);
      const active: unknown[] = await transaction.query(
        `SELECT 1 FROM deployments WHERE environment_id = $1 AND status IN ('pending', 'running')`,
        [id],
      );
      if (active.length > 0) {
        throw new BerthError(
          'DEPLOYMENT_IN_PROGRESS',
          `A deployment is under way in "${project}.${name}". Wait for its end, or cancel it.`,
        );
      }
    });
  }

  private async unblock({ id }: EnvironmentEntity): Promise<void> {
    await this.dataSource
      .query('UPDATE environments SET removing_since = NULL WHERE id = $1', [id])
      .catch(() => undefined);
  }

  private async forget({ id, project, name, team }: EnvironmentEntity, grant: Grant): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      await transaction.query('DELETE FROM environments WHERE id = $1', [id]);
      await this.settlements.vacate(transaction, project, name);
      await this.pipeline.record(transaction, grant, { outcome: 'succeeded' });
      const place = { team, project, environment: name };
      await this.outbox.event(transaction, draftEvent(environmentRemoved, place, { name, project }));
    });
    this.settlements.wake();
  }
}
