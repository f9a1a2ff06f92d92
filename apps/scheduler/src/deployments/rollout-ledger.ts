import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { ActionPipeline, type Grant } from '@berth/actions';
import {
  deploymentCancelled,
  deploymentDenied,
  deploymentFailed,
  deploymentProgressed,
  deploymentSucceeded,
  environmentUpdated,
  type DeploymentCause,
  type DeploymentStep,
} from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import type { RunSpec } from '../compose/index.js';
import { EnvironmentEntity, toEnvironment } from '../environments/environment.entity.js';
import { Ingress } from '../ingress/ingress.js';
import { Settlements } from '../upkeep/settlements.js';
import { DeploymentEntity, toDeployment, type Undo } from './deployment.entity.js';
import { fixedPorts } from './facts.js';
import { keepHosts } from './host-claims.js';

/** A lease that is not renewed for so long is another's to take. */
export const LEASE_SECONDS = 5;

const ENDINGS = {
  succeeded: deploymentSucceeded,
  failed: deploymentFailed,
  denied: deploymentDenied,
  cancelled: deploymentCancelled,
};

/** Causes of deployments that change the settings of their environment. */
const OF_SETTINGS = new Set<DeploymentCause>(['configure', 'scale', 'restart', 'resource']);

/** Another instance holds the deployment now, or it has ended. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** A deployment in the hands of one worker. */
export interface Held {
  id: string;
  owner: string;
}

export interface Outcome {
  /** With the decisions taken on the way. */
  permission: Grant;
  steps: DeploymentStep[];
  reason: string | null;
  /** Null when it succeeded. */
  undo: Undo | null;
  /** What runs now. */
  running: { digest: string; spec: RunSpec } | null;
  /** Ids of the instances that policy has judged; of a success. */
  judged?: string[];
}

/** What a worker writes of a rollout: each change only while it holds the lease, and with its event. */
@Injectable()
export class RolloutLedger {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly pipeline: ActionPipeline,
    @Inject(Outbox) private readonly outbox: Outbox,
    private readonly settlements: Settlements,
    private readonly ingress: Ingress,
  ) {}

  /** Takes a deployment that nobody holds. */
  async claim(owner: string): Promise<DeploymentEntity | null> {
    const [rows]: [{ id: string }[], number] = await this.dataSource.query(
      `UPDATE deployments SET lease_owner = $1, lease_until = now() + make_interval(secs => $2), status = 'running'
       WHERE id = (
         SELECT id FROM deployments
         WHERE status IN ('pending', 'running') AND (lease_until IS NULL OR lease_until < now())
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
      [owner, LEASE_SECONDS],
    );
    return rows.length > 0 ? this.dataSource.manager.findOneBy(DeploymentEntity, { id: rows[0].id }) : null;
  }

  /** Keeps the lease. Answers who wants it cancelled, if anyone. */
  async renew({ id, owner }: Held): Promise<{ cancelledBy: string | null }> {
    const [rows]: [{ cancelled_by: string | null }[], number] = await this.dataSource.query(
      `UPDATE deployments SET lease_until = now() + make_interval(secs => $3)
       WHERE id = $1 AND lease_owner = $2 AND status = 'running' RETURNING cancelled_by`,
      [id, owner, LEASE_SECONDS],
    );
    if (rows.length === 0) throw new LeaseLost();
    return { cancelledBy: rows[0].cancelled_by };
  }

  /** Lets go of it, for another to take up where it is. */
  async handOver({ id, owner }: Held): Promise<void> {
    await this.dataSource.query(
      'UPDATE deployments SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2',
      [id, owner],
    );
  }

  async progress(held: Held, steps: DeploymentStep[]): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      const deployment = await this.change(transaction, held, { steps });
      await this.tell(transaction, deployment, deploymentProgressed);
    });
  }

  /** From here on, requests are led to it wherever it is at other ports than what ran before. */
  async serve(held: Held): Promise<void> {
    await this.change(this.dataSource.manager, held, { serving: true });
  }

  /** Notes that it is to be taken back, and why, before anything is. */
  async beginUndo(
    held: Held,
    { permission, undo, steps }: Pick<Outcome, 'permission' | 'steps'> & { undo: Undo },
  ): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      const deployment = await this.change(transaction, held, { steps, undo, permission, serving: false });
      await this.tell(transaction, deployment, deploymentProgressed);
    });
    this.ingress.wake();
  }

  /** The end: status, what runs, ports, hosts, quota, record and event, all or nothing. */
  async finish(held: Held, { permission, steps, reason, undo, running, judged }: Outcome): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      const status = undo?.status ?? 'succeeded';
      const deployment = await this.change(transaction, held, {
        ...{ permission, status, reason, steps, finishedAt: new Date(), leaseOwner: null, leaseUntil: null },
      });
      await this.keepPorts(transaction, deployment.environmentId, running?.spec ?? null);
      await keepHosts(transaction, deployment.environmentId, running?.spec ?? null);
      if (undo) {
        await this.settlements.release(transaction, held.id);
      } else {
        await this.enforce(transaction, deployment, judged ?? []);
        await this.tellSettings(transaction, deployment);
        await this.settlements.commit(transaction, held.id);
      }
      const grant = {
        ...deployment.permission,
        ...(undo?.policies.length ? { policies: undo.policies } : {}),
      };
      await this.pipeline.record(transaction, grant, {
        outcome: status === 'succeeded' ? 'succeeded' : status === 'denied' ? 'denied' : 'failed',
        code: undo?.code ?? null,
        reason,
      });
      await this.tell(transaction, deployment, ENDINGS[status]);
    });
    this.settlements.wake();
    this.ingress.wake();
  }

  /** From here on this is what runs in the environment, under these settings. */
  private async enforce(
    transaction: EntityManager,
    deployment: DeploymentEntity,
    judged: string[],
  ): Promise<void> {
    await transaction.query(
      `UPDATE environments e SET release = $2, deployment = $3, configuration = c.version,
         variables = c.variables, services = c.services, restarts = c.restarts, resources = c.resources,
         judged = $5, halted = '[]'
       FROM configurations c WHERE e.id = $1 AND c.environment_id = e.id AND c.version = $4`,
      [
        deployment.environmentId,
        deployment.release,
        deployment.id,
        deployment.configuration,
        JSON.stringify(judged),
      ],
    );
  }

  private async tellSettings(transaction: EntityManager, deployment: DeploymentEntity): Promise<void> {
    if (!OF_SETTINGS.has(deployment.cause)) return;
    const environment = await transaction.findOneByOrFail(EnvironmentEntity, {
      id: deployment.environmentId,
    });
    const { team, project, environment: name } = deployment;
    const place = { team, project, environment: name };
    await this.outbox.event(transaction, draftEvent(environmentUpdated, place, toEnvironment(environment)));
  }

  private async change(
    transaction: EntityManager,
    { id, owner }: Held,
    values: Partial<DeploymentEntity>,
  ): Promise<DeploymentEntity> {
    const { affected } = await transaction.update(
      DeploymentEntity,
      { id, leaseOwner: owner, status: 'running' },
      values as object,
    );
    if (affected !== 1) throw new LeaseLost();
    return transaction.findOneByOrFail(DeploymentEntity, { id });
  }

  private async keepPorts(
    transaction: EntityManager,
    environmentId: string,
    spec: RunSpec | null,
  ): Promise<void> {
    const ports = fixedPorts(spec?.services ?? {});
    await transaction.query(
      `DELETE FROM port_claims
       WHERE environment_id = $1 AND (port, protocol) NOT IN (SELECT * FROM unnest($2::int[], $3::text[]))`,
      [environmentId, ports.map(({ port }) => port), ports.map(({ protocol }) => protocol)],
    );
  }

  private async tell(
    transaction: EntityManager,
    deployment: DeploymentEntity,
    definition: typeof deploymentProgressed,
  ): Promise<void> {
    const { team, project, environment } = deployment;
    const place = { team, project, environment };
    await this.outbox.event(transaction, draftEvent(definition, place, toDeployment(deployment)));
  }
}
