import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { QuotaPort } from '@berth/actions';
import { BerthError, type BrokenLimit, type Reservation } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
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

/** A reservation whose time ran out before anyone said how it ended. */
export interface ExpiredReservation {
  id: string;
  project: string;
  environment: string;
}

// A caller may ask about its reservation again for as long as this; then its id is forgotten.
const KEEP_DECIDED = '7 days';

/**
 * The ledger of what environments use and are about to use. Each method is one statement, a transaction of its own: the
 * locks and the sums are in the functions that the migrations create, and hold for any number of instances.
 */
@Injectable()
export class Ledger implements QuotaPort {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
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
    const { outcome, limits } = await this.ask<ReserveAnswer>(
      'SELECT ledger_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer',
      [id, project, environment, team, user, cpuMillis, memoryBytes, instances, expiresInSeconds],
    );
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
    const answer = await this.ask<CommitAnswer>('SELECT ledger_commit($1) AS answer', [id]);
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
    await this.dataSource.query('SELECT ledger_release($1)', [id]);
  }

  /** The environment is gone, and with it all that it held. */
  async vacate(project: string, environment: string): Promise<void> {
    await this.dataSource.query('SELECT ledger_vacate($1, $2)', [project, environment]);
  }

  /** Marks what has expired since the last sweep, by whichever instance, and forgets what was decided long ago. */
  async sweep(): Promise<ExpiredReservation[]> {
    return this.dataSource.query('SELECT * FROM ledger_sweep($1)', [KEEP_DECIDED]);
  }

  private async ask<Answer>(statement: string, parameters: unknown[]): Promise<Answer> {
    const [{ answer }]: { answer: Answer }[] = await this.dataSource.query(statement, parameters);
    return answer;
  }
}
