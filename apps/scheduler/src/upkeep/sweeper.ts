import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { scratchMark } from '../backups/scratch.js';
import type { RunSpec } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine, type OwnedObject } from '../engine/container-engine.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Rounds } from './rounds.js';
import { errorFields } from './error-fields.js';

interface Known {
  /** Of what runs; null when nothing does. */
  spec: RunSpec | null;
  underWay: boolean;
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
      this.logger.warn(errorFields(error), 'sweep.failed');
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
      // First the lock, then the look: a statement that waits for a lock still joins what was there before it waited.
      const locked: unknown[] = await transaction.query(
        'SELECT 1 FROM environments WHERE project = $1 AND name = $2 FOR UPDATE',
        [project, environment],
      );
      if (locked.length === 0 && (await isBeingTried(transaction, environment))) return;
      const known = locked.length > 0 ? await this.known(transaction, project, environment) : null;
      if (known?.underWay) return;
      // Services before networks: a network goes once nobody is in it, if not in this round then in the next.
      const doomed = objects.filter((object) => !belongs(object, known));
      doomed.sort((a, b) => b.kind.localeCompare(a.kind));
      for (const object of doomed) {
        await this.engine.discard(object);
        this.logger.warn({ ...object }, 'orphan.removed');
      }
    });
  }

  private async known(transaction: EntityManager, project: string, environment: string): Promise<Known> {
    const [known]: Known[] = await transaction.query(
      `SELECT r.spec, EXISTS (
         SELECT 1 FROM deployments d WHERE d.environment_id = e.id AND d.status IN ('pending', 'running')
       ) AS "underWay"
       FROM environments e LEFT JOIN deployments r ON r.id = e.deployment
       WHERE e.project = $1 AND e.name = $2`,
      [project, environment],
    );
    return known;
  }
}

/** Whether it is a place where a backup is tried out, and that is still going on. */
async function isBeingTried(transaction: EntityManager, environment: string): Promise<boolean> {
  const mark = scratchMark(environment);
  if (mark === null) return false;
  const found: unknown[] = await transaction.query(
    `SELECT 1 FROM resource_operations WHERE status = 'running' AND right(id::text, $2) = $1`,
    [mark, mark.length],
  );
  return found.length > 0;
}

function belongs({ kind, service }: OwnedObject, known: Known | null): boolean {
  if (!known) return false;
  return kind === 'network' || (service !== null && Object.hasOwn(known.spec?.services ?? {}, service));
}
