import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { asBerthError, LOGGER, newRequestContext, runInContext, type Logger } from '@berth/runtime';
import { LEASE_SECONDS, LeaseLost, type Held } from '../deployments/rollout-ledger.js';
import { Rounds } from '../upkeep/rounds.js';
import { Backups } from './backups.js';
import { BackupWork, type Course, type Dump } from './backup-work.js';
import type { ResourceOperationEntity } from './operation.entity.js';
import { OperationLedger } from './operation-ledger.js';

/** How often it looks for operations that nobody holds, such as those of an instance that was killed. */
const ROUND_MS = 1_000;
const RENEW_MS = (LEASE_SECONDS * 1_000) / 4;
const AT_ONCE = 4;

/** Takes backups and restores in hand and sees them to their end; any number of instances share the work. */
@Injectable()
export class OperationWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly owner = randomUUID();
  private readonly working = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly rounds = new Rounds(ROUND_MS, () => this.takeAll());

  constructor(
    private readonly ledger: OperationLedger,
    private readonly work: BackupWork,
    private readonly backups: Backups,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  /** There is one to take. */
  wake(): void {
    this.rounds.wake();
  }

  /** What is under way is done again, by another instance or by the next one here. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.rounds.stop();
    await Promise.all(this.working);
  }

  private async takeAll(): Promise<void> {
    try {
      while (!this.stopping.signal.aborted && this.working.size < AT_ONCE) {
        const operation = await this.ledger.claim(this.owner);
        if (!operation) return;
        const context = newRequestContext(operation.permission.correlationId);
        const work = runInContext(context, () => this.see(operation));
        this.working.add(work);
        void work.finally(() => {
          this.working.delete(work);
          this.rounds.wake();
        });
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'operations.not-taken');
    }
  }

  private async see(operation: ResourceOperationEntity): Promise<void> {
    const held: Held = { id: operation.id, owner: this.owner };
    const lost = new AbortController();
    const signal = AbortSignal.any([lost.signal, this.stopping.signal]);
    const renewal = setInterval(() => {
      this.ledger.renew(held).catch((error: unknown) => {
        if (error instanceof LeaseLost) lost.abort(error);
      });
    }, RENEW_MS);
    try {
      const end = await this.end(operation, { signal, tell: (step) => this.ledger.tell(held, step) });
      await this.ledger.finish(held, end);
      this.logger.info({ operation: held.id, kind: operation.kind }, 'operation.ended');
    } catch (error) {
      // The lease runs out, and whoever takes it begins again.
      this.logger.warn({ err: error, operation: held.id }, 'operation.let-go');
      await this.ledger.handOver(held).catch(() => undefined);
    } finally {
      clearInterval(renewal);
    }
  }

  private async end(operation: ResourceOperationEntity, course: Course): Promise<Dump | { reason: string }> {
    try {
      if (operation.kind === 'backup')
        return await this.work.backUp(operation, await this.backups.file(operation), course);
      return await this.work.restore(operation, await this.backups.restored(operation), course);
    } catch (error) {
      course.signal.throwIfAborted();
      const { code, message } = asBerthError(error);
      if (error instanceof LeaseLost || code === 'DATABASE_UNAVAILABLE') throw error;
      if (code === 'INTERNAL')
        this.logger.error({ err: error, operation: operation.id }, 'operation.unforeseen');
      return { reason: message };
    }
  }
}
