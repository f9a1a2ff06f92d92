import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import type { EngineDrift } from '../engine/container-engine.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { Rounds } from '../upkeep/rounds.js';
import { DriftDetector } from './drift-detector.js';
import { DriftLedger } from './drift-ledger.js';
import { Mending } from './mending.js';

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
      for (const environment of await this.ledger.running()) await this.look(environment, begun);
    } catch (error) {
      const known = error instanceof BerthError ? { reason: error.message } : { err: error };
      this.logger.warn(known, 'reconciliation.failed');
    }
  }

  private async look(environment: EnvironmentEntity, begun: Date): Promise<void> {
    const findings = await this.detector.of(environment);
    if (findings.length === 0) this.attempts.delete(environment.id);
    // What was looked at may have been a rollout in the middle: the ledger takes it only if nothing began since.
    if (!(await this.ledger.note(environment, begun, findings))) return;
    if (findings.length > 0 && environment.onDrift === 'mend') await this.mend(environment, findings);
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
      const { id } = await this.mending.mend(environment, findings);
      this.logger.info({ project, environment: name, deployment: id }, 'drift.mending');
    } catch (error) {
      const known = error instanceof BerthError ? { reason: error.message } : { err: error };
      this.logger.warn({ project, environment: name, ...known }, 'drift.not-mended');
    }
  }
}
