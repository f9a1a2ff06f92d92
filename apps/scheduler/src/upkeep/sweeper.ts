import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { BerthError } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import type { ReleaseSpec } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine, type OwnedObject } from '../engine/container-engine.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Rounds } from './rounds.js';

interface Known {
  id: string;
  spec: ReleaseSpec | null;
}

/**
 * Removes from the engine what carries our label and should not be there: of an environment that is gone, or a service
 * that the environment's release does not have. Nothing is touched while a deployment is under way.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds: Rounds;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    @Inject(SCHEDULER_ENV) env: Pick<SchedulerEnv, 'SCHEDULER_UPKEEP_SECONDS'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.rounds = new Rounds(env.SCHEDULER_UPKEEP_SECONDS * 1_000, () => this.round());
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
  }

  private async round(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      const known = error instanceof BerthError ? { reason: error.message } : { err: error };
      this.logger.warn(known, 'sweep.failed');
    }
  }

  /** The engine is asked first: what comes into being meanwhile is not on the list. */
  private async sweep(): Promise<void> {
    const owned = await this.engine.owned();
    const byPlace = new Map<string, OwnedObject[]>();
    for (const object of owned) {
      const place = `${object.project}/${object.environment}`;
      byPlace.set(place, [...(byPlace.get(place) ?? []), object]);
    }
    for (const objects of byPlace.values()) await this.sweepPlace(objects);
  }

  /** Under the lock that a new deployment takes as well: none begins while something is removed. */
  private sweepPlace(objects: OwnedObject[]): Promise<void> {
    const [{ project, environment }] = objects;
    return this.dataSource.transaction(async (transaction) => {
      const [known]: Known[] = await transaction.query(
        `SELECT e.id, r.spec FROM environments e
         LEFT JOIN releases r ON r.project = e.project AND r.digest = e.release
         WHERE e.project = $1 AND e.name = $2 FOR UPDATE OF e`,
        [project, environment],
      );
      if (known) {
        const underWay: unknown[] = await transaction.query(
          `SELECT 1 FROM deployments WHERE environment_id = $1 AND status IN ('pending', 'running')`,
          [known.id],
        );
        if (underWay.length > 0) return;
      }
      // Services before networks: a network goes once nobody is in it, if not in this round then in the next.
      const doomed = objects.filter((object) => !belongs(object, known));
      doomed.sort((a, b) => b.kind.localeCompare(a.kind));
      for (const object of doomed) {
        await this.engine.discard(object);
        this.logger.warn({ ...object }, 'orphan.removed');
      }
    });
  }
}

function belongs({ kind, service }: OwnedObject, known: Known | undefined): boolean {
  if (!known) return false;
  return kind === 'network' || (service !== null && Object.hasOwn(known.spec?.services ?? {}, service));
}
