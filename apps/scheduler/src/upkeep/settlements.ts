import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { BerthError, quotaRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { correlationId, LOGGER, newRequestContext, runInContext, type Logger } from '@berth/runtime';
import { Rounds } from './rounds.js';

const ROUND_MS = 2_000;

interface Row {
  position: string;
  kind: 'commit' | 'release' | 'vacate';
  reservation: string | null;
  project: string | null;
  environment: string | null;
  correlation_id: string;
}

/**
 * Tells quota what became of its reservations, as surely as the outbox tells the audit log: what is to be told is
 * written in the transaction that decides it, and told in that order until quota answers.
 */
@Injectable()
export class Settlements implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds = new Rounds(ROUND_MS, () => this.settle());

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
  }

  /** To be called after the transaction's commit: then quota knows in a moment. */
  wake(): void {
    this.rounds.wake();
  }

  async commit(transaction: EntityManager, reservation: string): Promise<void> {
    await this.add(transaction, 'commit', [reservation, null, null]);
  }

  async release(transaction: EntityManager, reservation: string): Promise<void> {
    await this.add(transaction, 'release', [reservation, null, null]);
  }

  async vacate(transaction: EntityManager, project: string, environment: string): Promise<void> {
    await this.add(transaction, 'vacate', [null, project, environment]);
  }

  private async add(transaction: EntityManager, kind: Row['kind'], values: (string | null)[]): Promise<void> {
    await transaction.query(
      `INSERT INTO settlements (kind, reservation, project, environment, correlation_id)
       VALUES ($1, $2, $3, $4, $5)`,
      [kind, ...values, correlationId()],
    );
  }

  private async settle(): Promise<void> {
    try {
      while (await this.settleOne());
    } catch (error) {
      this.logger.warn({ err: error }, 'settlement.waits');
    }
  }

  /** One at a time, the oldest first: a commit must not overtake the vacating that follows it. */
  private settleOne(): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      const [locked]: { locked: boolean }[] = await transaction.query(
        `SELECT pg_try_advisory_xact_lock(hashtext('settlements'), hashtext(current_schema())) AS locked`,
      );
      if (!locked.locked) return false;
      const [row]: Row[] = await transaction.query('SELECT * FROM settlements ORDER BY position LIMIT 1');
      if (!row) return false;
      await runInContext(newRequestContext(row.correlation_id), () => this.tell(row));
      await transaction.query('DELETE FROM settlements WHERE position = $1', [row.position]);
      return true;
    });
  }

  private async tell({ kind, reservation: id, project, environment }: Row): Promise<void> {
    try {
      if (id !== null && kind !== 'vacate') await this.rpc.call(quotaRpc[kind], { id });
      else if (project !== null && environment !== null)
        await this.rpc.call(quotaRpc.vacate, { project, environment });
    } catch (error) {
      // Quota answered that it knows nothing of it: telling it again would hold up all that follow.
      if (!(error instanceof BerthError) || error.code !== 'NOT_FOUND') throw error;
      this.logger.warn({ kind, reservation: id, reason: error.message }, 'settlement.dropped');
    }
  }
}
