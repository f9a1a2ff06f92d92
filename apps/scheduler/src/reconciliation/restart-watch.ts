import { setTimeout as delay } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { LOGGER, type Logger } from '@berth/runtime';
import { CONTAINER_ENGINE, type ContainerEngine, type LivingInstance } from '../engine/container-engine.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Rounds } from '../upkeep/rounds.js';
import { Restarts } from './restarts.js';
import { errorFields } from '../upkeep/error-fields.js';

const PACE_MS = 1_000;
const PAUSE_MS = 5_000;
/** The swarm hears of a container somewhat later than its engine tells of it, and of one that ends at once never. */
const MAX_LOOKS = 10;
/** What was not brought to an end by then is left to the rounds: a deployment that came to nothing leaves nothing to look at. */
const MAX_AGE_MS = 10 * 60_000;

interface Started {
  instance: LivingInstance;
  /** In milliseconds since the epoch. */
  at: number;
  looks: number;
}

/**
 * Has policy judge what the engine starts by itself: at once where the engine tells of it, which it does of its own machine;
 * and in every round of upkeep wherever it runs.
 */
@Injectable()
export class RestartWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds = new Rounds(PACE_MS, () => this.round());
  private readonly everyMs: number;
  private nextSweep = 0;
  /** By id: what has started, and is not known to have been judged. */
  private readonly started = new Map<string, Started>();
  private readonly stopping = new AbortController();
  private listening: Promise<void> = Promise.resolve();

  constructor(
    private readonly restarts: Restarts,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    @Inject(SCHEDULER_ENV) env: SchedulerEnv,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.everyMs = env.SCHEDULER_UPKEEP_SECONDS * 1_000;
  }

  onApplicationBootstrap(): void {
    this.listening = this.listen();
    this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.rounds.stop(), this.listening]);
  }

  private async listen(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        for await (const instance of this.engine.starts(signal)) {
          this.started.set(instance.id, { instance, at: Date.now(), looks: 0 });
          this.rounds.wake();
        }
      } catch (error) {
        this.warn(error, 'restarts.not-heard');
      }
      // What started meanwhile is found by looking.
      this.nextSweep = 0;
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async round(): Promise<void> {
    if (Date.now() >= this.nextSweep) {
      this.nextSweep = Date.now() + this.everyMs;
      await this.attempt(() => this.restarts.lookEverywhere());
    }
    const places = new Map<string, LivingInstance>();
    for (const [id, { instance, at }] of this.started) {
      if (Date.now() - at > MAX_AGE_MS) this.started.delete(id);
      else places.set(`${instance.project}.${instance.environment}`, instance);
    }
    for (const instance of places.values()) await this.attempt(() => this.lookAt(instance));
  }

  /** What fails is tried again in the next round, and keeps nothing else from being looked at. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.warn(error, 'restarts.not-judged');
    }
  }

  private async lookAt({ project, environment }: LivingInstance): Promise<void> {
    const judged = await this.restarts.lookAt({ project, environment });
    // A rollout judges what it brings, and what it leaves unjudged is looked at after it.
    if (!judged) return;
    for (const [id, started] of this.started) {
      if (started.instance.project !== project || started.instance.environment !== environment) continue;
      started.looks += 1;
      if (judged.has(id) || started.looks > MAX_LOOKS) this.started.delete(id);
    }
  }

  private warn(error: unknown, message: string): void {
    this.logger.warn(errorFields(error), message);
  }
}
