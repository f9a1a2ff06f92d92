import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { asBerthError, LOGGER, type Logger } from '@berth/runtime';
import type { EngineDrift } from '../engine/container-engine.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { Rounds } from '../upkeep/rounds.js';
import { DriftDetector } from './drift-detector.js';
import { DriftLedger } from './drift-ledger.js';
import { Mending } from './mending.js';
import { errorFields } from '../upkeep/error-fields.js';

const RETRY_MS = 1_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

interface Attempts {
  /** What was tried to mend, as text. */
  of: string;
  count: number;
  /** When it may be tried again, in milliseconds since the epoch. */
  next: number;
}

/**
 * Looks again and again, first at its start, whether the engine still has what was rolled out: after a restart of the
 * scheduler or of the engine, and after changes by hand. What is found is reported, and mended where the environment says so.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds: Rounds;
  private readonly everyMs: number;
  /** By id of the environment: what cannot be mended is not tried in each round. */
  private readonly attempts = new Map<string, Attempts>();

  constructor(
    private readonly detector: DriftDetector,
    private readonly ledger: DriftLedger,
    private readonly mending: Mending,
    @Inject(SCHEDULER_ENV) env: SchedulerEnv,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.everyMs = env.SCHEDULER_UPKEEP_SECONDS * 1_000;
    this.rounds = new Rounds(this.everyMs, () => this.round());
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
  }

  private async round(): Promise<void> {
    try {
      const begun = new Date();
      const environments = await this.ledger.running();
      const drift = await this.detector.ofAll(environments);
      for (const environment of environments)
        await this.judge(environment, begun, drift.get(environment.id) ?? []);
    } catch (error) {
      this.warn(error, 'reconciliation.failed', {});
      // The engine or the database is away: what happened meanwhile is to be seen soon.
      setTimeout(() => this.rounds.wake(), RETRY_MS).unref();
    }
  }

  /** One that cannot be dealt with keeps nobody else from being looked at. */
  private async judge(environment: EnvironmentEntity, begun: Date, findings: EngineDrift[]): Promise<void> {
    const { id, project, name, onDrift } = environment;
    try {
      if (findings.length === 0) this.attempts.delete(id);
      // What was looked at may have been a rollout in the middle: the ledger takes it only if nothing began since.
      if (!(await this.ledger.note(environment, begun, findings))) return;
      if (findings.length > 0 && onDrift === 'mend') await this.mend(environment, findings);
    } catch (error) {
      this.warn(error, 'reconciliation.failed', { project, environment: name });
    }
  }

  private async mend(environment: EnvironmentEntity, findings: readonly EngineDrift[]): Promise<void> {
    const of = JSON.stringify(findings);
    const before = this.attempts.get(environment.id);
    const count = before?.of === of ? before.count : 0;
    if (count > 0 && Date.now() < (before?.next ?? 0)) return;
    const pause = Math.min(this.everyMs * 2 ** (count + 1), LONGEST_PAUSE_MS);
    this.attempts.set(environment.id, { of, count: count + 1, next: Date.now() + pause });
    const { project, name } = environment;
    try {
      const { id } = await this.mending.mendUnasked(environment, findings);
      this.logger.info({ project, environment: name, deployment: id }, 'drift.mending');
    } catch (error) {
      this.warn(error, 'drift.not-mended', { project, environment: name });
      const { code, message: reason } = asBerthError(error);
      await this.ledger.tellNotMended(environment, { code, reason });
    }
  }

  private warn(error: unknown, message: string, where: object): void {
    this.logger.warn({ ...where, ...errorFields(error) }, message);
  }
}
