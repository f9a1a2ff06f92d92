import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline, type Ending, type Grant } from '@berth/actions';
import { BerthError, buildPlace } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import { Settlements } from '../upkeep/settlements.js';
import type { KnownBuild } from './build-facts.js';

/** How long quota holds what a build uses, unless it is held on: one whose scheduler was killed gives it back by that. */
const HOLD_SECONDS = 60;
export const HOLD_ON_MS = (HOLD_SECONDS * 1_000) / 4;

/** What a build holds of its team's quota, and its two records. */
@Injectable()
export class BuildAccounts {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly pipeline: ActionPipeline,
    private readonly settlements: Settlements,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** No quota or no record: no build. Answers what holds the quota on; it throws QUOTA_EXCEEDED where others have taken it meanwhile. */
  async begin(id: string, { project, limits }: KnownBuild, grant: Grant): Promise<() => Promise<void>> {
    const amounts = { cpu: limits.cpuMillis / 1_000, memory: limits.memoryBytes, instances: 0 };
    const hold = (): Promise<void> =>
      this.pipeline.reserve(grant, {
        ...{ id, team: project.team, project: project.name, environment: buildPlace(id) },
        ...{ user: grant.actor.user, amounts, expiresInSeconds: HOLD_SECONDS },
      });
    try {
      await hold();
      await this.pipeline.recordAlone(grant, { outcome: 'accepted' });
      return hold;
    } catch (error) {
      // Without an answer it may be held all the same.
      if (!(error instanceof BerthError) || error.code !== 'QUOTA_EXCEEDED') await this.giveBack(id);
      throw error;
    }
  }

  /** Where nothing can be written down any more, what it held expires by itself, and the log tells of it. */
  async end(id: string, grant: Grant, ending: Ending): Promise<void> {
    try {
      await this.dataSource.transaction(async (transaction) => {
        await this.pipeline.record(transaction, grant, ending);
        await this.settlements.release(transaction, id);
      });
      this.settlements.wake();
    } catch (error) {
      this.logger.error({ err: error, correlationId: grant.correlationId }, 'build.end-not-recorded');
    }
  }

  private async giveBack(id: string): Promise<void> {
    await this.dataSource
      .transaction((transaction) => this.settlements.release(transaction, id))
      .then(() => this.settlements.wake())
      // The database is away: it expires by itself.
      .catch(() => undefined);
  }
}
