import { Inject, Injectable } from '@nestjs/common';
import type { RunSpec } from '../compose/index.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';

/** The engine's own interval of health checks. */
const DEFAULT_INTERVAL_NS = 30e9;
const MAX_ALLOWANCE_MS = 25 * 60_000;

/** How long a rollout may take. */
@Injectable()
export class RolloutTimes {
  private readonly baseMs: number;

  constructor(@Inject(SCHEDULER_ENV) env: Pick<SchedulerEnv, 'SCHEDULER_DEADLINE_SECONDS'>) {
    this.baseMs = env.SCHEDULER_DEADLINE_SECONDS * 1_000;
  }

  /** From now on: what every release gets, and the time that its health checks take by themselves. */
  deadline(release: RunSpec): Date {
    let allowanceNs = 0;
    // One after the other, as they may depend on each other.
    for (const { healthcheck } of Object.values(release.services)) {
      if (healthcheck)
        allowanceNs += (healthcheck.startPeriodNs ?? 0) + (healthcheck.intervalNs ?? DEFAULT_INTERVAL_NS);
    }
    return new Date(Date.now() + this.baseMs + Math.min(MAX_ALLOWANCE_MS, allowanceNs / 1e6));
  }
}
