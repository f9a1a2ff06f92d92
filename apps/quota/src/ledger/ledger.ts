import { Inject, Injectable } from '@nestjs/common';
import type { QuotaPort } from '@berth/actions';
import { BerthError, type BrokenLimit, type Reservation } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import { LedgerCalls } from './ledger-calls.js';
import { LedgerMetrics } from './ledger-metrics.js';
import { toBrokenLimit, toLedgerAmounts } from './units.js';

interface ReserveAnswer {
  outcome: 'reserved' | 'refused' | 'mismatch' | 'released' | 'vacated';
  limits: BrokenLimit[];
}

interface CommitAnswer {
  outcome: 'committed' | 'unknown' | 'vacated';
  overdrawn: BrokenLimit[];
  late: boolean;
}

/** The ledger of what environments use and are about to use. What it says holds for any number of instances of it. */
@Injectable()
export class Ledger implements QuotaPort {
  constructor(
    private readonly calls: LedgerCalls,
    private readonly metrics: LedgerMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Holds what the environment will use in all, or nothing and every limit that stands against it. The same id again
   * answers the same and holds it once; with other amounts it is an IDEMPOTENCY_MISMATCH, once given up a CONFLICT.
   */
  async reserve(reservation: Reservation): Promise<{ reserved: boolean; limits: BrokenLimit[] }> {
    const { id, team, user, project, environment, expiresInSeconds } = reservation;
    const { cpuMillis, memoryBytes, instances } = toLedgerAmounts(reservation.amounts);
    const { outcome, limits } = await this.calls.make<ReserveAnswer>({
      ...{ call: 'reserve', id, project, environment, team, user },
      ...{ cpu: cpuMillis, memory: memoryBytes, instances, seconds: expiresInSeconds },
    });
    this.metrics.reservations.inc({ outcome });
    if (outcome === 'reserved') return { reserved: true, limits: [] };
    if (outcome === 'refused') {
      this.logger.info({ reservation: id, project, environment, limits }, 'reservation.refused');
      return { reserved: false, limits: limits.map(toBrokenLimit) };
    }
    if (outcome === 'mismatch') {
      throw new BerthError(
        'IDEMPOTENCY_MISMATCH',
        `Reservation ${id} was made for something else. Use a new id for other amounts.`,
      );
    }
    throw new BerthError(
      'CONFLICT',
      `Reservation ${id} was ${outcome} before. Use a new id to reserve again.`,
    );
  }

  /** What was reserved runs now, in place of what the environment had. It always stands; see `ledger_commit`. */
  async commit(id: string): Promise<void> {
    const answer = await this.calls.make<CommitAnswer>({ call: 'commit', id });
    if (answer.outcome === 'unknown') {
      throw new BerthError('NOT_FOUND', `There is no reservation ${id} to commit.`);
    }
    if (answer.outcome === 'vacated') {
      this.logger.warn({ reservation: id }, 'reservation.committed-after-vacate');
    } else if (answer.late) {
      this.logger.warn({ reservation: id, overdrawn: answer.overdrawn }, 'reservation.committed-late');
    }
    if (answer.overdrawn.length > 0) this.metrics.overdrawn.inc();
  }

  /** What was reserved will not run. What is committed stays as it is. */
  async release(id: string): Promise<void> {
    await this.calls.make({ call: 'release', id });
  }

  /** The environment is gone, and with it all that it held. */
  async vacate(project: string, environment: string): Promise<void> {
    await this.calls.make({ call: 'vacate', project, environment });
  }
}
