import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { newRequestContext, runInContext, type Logger } from '@berth/runtime';
import { RunSpecs } from '../environments/run-specs.js';
import { Ingress } from '../ingress/ingress.js';
import { Rounds } from '../upkeep/rounds.js';
import type { DeploymentEntity } from './deployment.entity.js';
import { LEASE_SECONDS, LeaseLost, RolloutLedger, type Held } from './rollout-ledger.js';
import { RolloutRun } from './rollout-run.js';
import { RunTools } from './run-tools.js';

/** How often it looks for deployments that nobody holds, such as those of an instance that was killed. */
const ROUND_MS = 1_000;
const RENEW_MS = (LEASE_SECONDS * 1_000) / 4;
const MAX_RUNS = 32;

/** Takes deployments in hand and sees them to their end; any number of instances share the work. */
@Injectable()
export class RolloutWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly owner = randomUUID();
  /** By id of the deployment. */
  private readonly runs = new Map<string, RolloutRun>();
  private readonly working = new Set<Promise<void>>();
  private readonly rounds = new Rounds(ROUND_MS, () => this.takeAll());
  private stopping = false;

  private readonly ledger: RolloutLedger;
  private readonly logger: Logger;

  constructor(
    private readonly specs: RunSpecs,
    private readonly tools: RunTools,
    private readonly ingress: Ingress,
  ) {
    this.ledger = tools.ledger;
    this.logger = tools.logger;
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  /** There may be one to take. */
  wake(): void {
    this.rounds.wake();
  }

  /** At once where it runs here; elsewhere with the next renewal of the lease. */
  cancel(id: string, by: string): void {
    this.runs.get(id)?.interrupt({ kind: 'cancelled', by });
  }

  /** Hands over what is under way: it goes on in another instance, or in the next one here. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.rounds.stop();
    for (const run of this.runs.values()) run.interrupt({ kind: 'handed-over' });
    await Promise.all(this.working);
  }

  private async takeAll(): Promise<void> {
    try {
      while (!this.stopping && this.working.size < MAX_RUNS) {
        const deployment = await this.ledger.claim(this.owner);
        if (!deployment) return;
        const work = this.inContext(deployment);
        this.working.add(work);
        void work.finally(() => this.working.delete(work));
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'deployments.not-taken');
    }
  }

  private inContext(deployment: DeploymentEntity): Promise<void> {
    const { correlationId } = deployment.permission;
    return runInContext(newRequestContext(correlationId), () => this.work(deployment));
  }

  private async work(deployment: DeploymentEntity): Promise<void> {
    const { id } = deployment;
    const held: Held = { id, owner: this.owner };
    try {
      const previous = await this.specs.of(deployment.previousDeployment);
      const wanted = deployment.spec;
      const run = new RolloutRun(this.tools, held, deployment, { wanted, previous }, this.ingress);
      await this.hold(held, run);
    } catch (error) {
      // The lease runs out, and whoever takes it goes on from there.
      this.logger.error({ err: error, deployment: id }, 'deployment.interrupted');
    }
  }

  private async hold(held: Held, run: RolloutRun): Promise<void> {
    const renewal = setInterval(() => void this.renew(held, run), RENEW_MS);
    this.logger.info({ deployment: held.id }, 'deployment.taken');
    this.runs.set(held.id, run);
    if (this.stopping) run.interrupt({ kind: 'handed-over' });
    try {
      await run.run();
      this.logger.info({ deployment: held.id }, 'deployment.ended');
    } catch (error) {
      if (!run.interrupted && !(error instanceof LeaseLost)) throw error;
      this.logger.info({ deployment: held.id }, 'deployment.let-go');
      await this.ledger.handOver(held);
    } finally {
      clearInterval(renewal);
      this.runs.delete(held.id);
    }
  }

  private async renew(held: Held, run: RolloutRun): Promise<void> {
    try {
      const { cancelledBy } = await this.ledger.renew(held);
      if (cancelledBy !== null) run.interrupt({ kind: 'cancelled', by: cancelledBy });
    } catch (error) {
      if (error instanceof LeaseLost) run.interrupt({ kind: 'lost' });
      else this.logger.warn({ err: error, deployment: held.id }, 'lease.not-renewed');
    }
  }
}
