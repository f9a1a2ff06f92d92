import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline } from '@berth/actions';
import {
  resourceBackedUp,
  resourceBackupFailed,
  resourceRestored,
  resourceRestoreFailed,
} from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { LEASE_SECONDS, LeaseLost, type Held } from '../deployments/rollout-ledger.js';
import { ResourceOperationEntity, toOperation } from './operation.entity.js';
import type { Dump } from './backup-work.js';

const ENDINGS = {
  backup: { succeeded: resourceBackedUp, failed: resourceBackupFailed },
  restore: { succeeded: resourceRestored, failed: resourceRestoreFailed },
};

/** What a worker writes of an operation: only while it holds the lease. */
@Injectable()
export class OperationLedger {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly pipeline: ActionPipeline,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** Takes an operation that nobody holds. */
  async claim(owner: string): Promise<ResourceOperationEntity | null> {
    const [rows]: [{ id: string }[], number] = await this.dataSource.query(
      `UPDATE resource_operations SET lease_owner = $1, lease_until = now() + make_interval(secs => $2)
       WHERE id = (
         SELECT id FROM resource_operations
         WHERE status = 'running' AND (lease_until IS NULL OR lease_until < now())
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
      [owner, LEASE_SECONDS],
    );
    if (rows.length === 0) return null;
    return this.dataSource.manager.findOneBy(ResourceOperationEntity, { id: rows[0].id });
  }

  async renew(held: Held): Promise<void> {
    await this.held(held, 'lease_until = now() + make_interval(secs => $3)', [LEASE_SECONDS]);
  }

  async tell(held: Held, step: string): Promise<void> {
    await this.held(held, 'step = $3', [step]);
  }

  /** For another to do again. */
  async handOver({ id, owner }: Held): Promise<void> {
    await this.dataSource.query(
      'UPDATE resource_operations SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2',
      [id, owner],
    );
  }

  /** The end, with its record and its event. */
  async finish({ id, owner }: Held, end: Dump | { reason: string }): Promise<void> {
    const failed = 'reason' in end;
    const status = failed ? 'failed' : 'succeeded';
    await this.dataSource.transaction(async (transaction) => {
      const { affected } = await transaction.update(
        ResourceOperationEntity,
        { id, leaseOwner: owner, status: 'running' },
        {
          ...{ status, step: null, finishedAt: new Date(), leaseOwner: null, leaseUntil: null },
          ...(failed ? { reason: end.reason } : { bytes: String(end.bytes), fingerprint: end.fingerprint }),
        },
      );
      if (!affected) throw new LeaseLost();
      const operation = await transaction.findOneByOrFail(ResourceOperationEntity, { id });
      const { team, project, environment, kind, permission } = operation;
      await this.pipeline.record(transaction, permission, {
        outcome: status,
        ...(failed ? { code: 'CONFLICT', reason: end.reason } : {}),
      });
      const place = { team, project, environment };
      await this.outbox.event(transaction, draftEvent(ENDINGS[kind][status], place, toOperation(operation)));
    });
  }

  private async held({ id, owner }: Held, set: string, values: unknown[]): Promise<void> {
    const [, count]: [unknown[], number] = await this.dataSource.query(
      `UPDATE resource_operations SET ${set} WHERE id = $1 AND lease_owner = $2 AND status = 'running'`,
      [id, owner, ...values],
    );
    if (count === 0) throw new LeaseLost();
  }
}
