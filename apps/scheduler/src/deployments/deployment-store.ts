import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, In, type EntityManager } from 'typeorm';
import { ActionPipeline, notFound, type Grant } from '@berth/actions';
import { BerthError, deploymentCreated, type DeploymentCause, type DeploymentStep } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { asBerthError } from '@berth/runtime';
import type { ReleaseSpec, RunSpec } from '../compose/index.js';
import { isUniqueViolation } from '../database-errors.js';
import { ConfigurationEntity, type Settings } from '../environments/configuration.entity.js';
import { EnvironmentEntity, environmentResource } from '../environments/environment.entity.js';
import { ReleaseEntity } from '../releases/release.entity.js';
import { refuseIfRemoved } from '../secrets/secret-use.js';
import { Settlements } from '../upkeep/settlements.js';
import { DeploymentEntity, toDeployment } from './deployment.entity.js';
import { fixedPorts } from './facts.js';
import { claimHosts, refuseHostsOfOthers } from './host-claims.js';
import type { Asked } from './wanted.js';

export interface NewDeployment {
  id: string;
  environment: EnvironmentEntity;
  cause: DeploymentCause;
  grant: Grant;
  asked?: Asked;
  steps: DeploymentStep[];
  deadline: Date;
  digest: string;
  release: ReleaseSpec;
  spec: RunSpec;
  /** New ones, which come into force with it. */
  settings?: Settings;
}

const UNDER_WAY = In(['pending', 'running']);
/** A removal that was killed must not bar its environment for ever. */
const REMOVAL_MS = 5 * 60_000;

/** Writes deployments down as they come in. */
@Injectable()
export class DeploymentStore {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly pipeline: ActionPipeline,
    @Inject(Outbox) private readonly outbox: Outbox,
    private readonly settlements: Settlements,
  ) {}

  /** Early and without a lock: `create` has the last word. */
  async refuseIfBusy(environment: EnvironmentEntity, spec: RunSpec): Promise<void> {
    const { manager } = this.dataSource;
    const claims = this.othersClaims(manager, environment, spec);
    const hosts = refuseHostsOfOthers(manager, environment.id, spec);
    for (const answer of [claims, hosts]) answer.catch(() => undefined);
    await this.refuseIfUnderWay(manager, environment);
    const [claim] = await claims;
    if (claim) throw portInUse(claim);
    await hosts;
  }

  /** In one transaction: the release, the deployment, its ports and hosts, its record and its event. */
  async create(draft: NewDeployment): Promise<DeploymentEntity> {
    try {
      return await this.dataSource.transaction((transaction) => this.insert(transaction, draft));
    } catch (thrown) {
      await this.giveBack(draft.id, draft.environment);
      const error = isUniqueViolation(thrown) ? underWay(draft.environment) : asBerthError(thrown);
      await this.pipeline.recordAlone(draft.grant, {
        ...{ outcome: 'failed', code: error.code, reason: error.message },
      });
      throw error;
    }
  }

  private async insert(transaction: EntityManager, draft: NewDeployment): Promise<DeploymentEntity> {
    const { id, cause, grant, steps, deadline, digest, release, spec } = draft;
    const environment = await transaction.findOne(EnvironmentEntity, {
      where: { id: draft.environment.id },
      lock: { mode: 'pessimistic_write' },
    });
    if (!environment) throw notFound(environmentResource(draft.environment));
    if (environment.removingSince && Date.now() - environment.removingSince.getTime() < REMOVAL_MS)
      throw new BerthError('CONFLICT', `The environment "${environment.name}" is being removed.`);
    await this.refuseIfUnderWay(transaction, environment);
    await refuseIfRemoved(transaction, environment, spec);
    await this.claimPorts(transaction, environment, spec);
    await claimHosts(transaction, environment.id, spec);
    if (draft.asked) await this.pipeline.judgeOrThrow(draft.asked.action, draft.asked.grant, {});
    const configuration = draft.settings
      ? await addConfiguration(transaction, environment, draft.settings, grant.actor.user)
      : environment.configuration;
    const { project, name, team } = environment;
    const createdBy = grant.actor.user;
    await transaction
      .createQueryBuilder()
      .insert()
      .into(ReleaseEntity)
      .values({ project, digest, createdBy, spec: release as object })
      .orIgnore()
      .execute();
    await transaction.insert(DeploymentEntity, {
      ...{ id, environmentId: environment.id, project, environment: name, team, createdBy },
      ...{ cause, release: digest, configuration, status: 'pending', steps, deadline },
      previousRelease: environment.release,
      previousDeployment: environment.deployment,
      spec: spec as object,
      permission: grant as object,
    });
    const deployment = await transaction.findOneByOrFail(DeploymentEntity, { id });
    if (draft.asked) await this.pipeline.record(transaction, draft.asked.grant, { outcome: 'succeeded' });
    await this.pipeline.record(transaction, grant, { outcome: 'accepted' });
    const place = { team, project, environment: name };
    await this.outbox.event(transaction, draftEvent(deploymentCreated, place, toDeployment(deployment)));
    return deployment;
  }

  private async refuseIfUnderWay(manager: EntityManager, environment: EnvironmentEntity): Promise<void> {
    const found = await manager.existsBy(DeploymentEntity, {
      environmentId: environment.id,
      status: UNDER_WAY,
    });
    if (found) throw underWay(environment);
  }

  /** Ports that it has already stay its own; those it no longer needs go with the end of the deployment. */
  private async claimPorts(
    transaction: EntityManager,
    environment: EnvironmentEntity,
    { services }: RunSpec,
  ): Promise<void> {
    for (const { port, protocol } of fixedPorts(services)) {
      const [holder]: { environment_id: string }[] = await transaction.query(
        `INSERT INTO port_claims (port, protocol, environment_id) VALUES ($1, $2, $3)
         ON CONFLICT (port, protocol) DO UPDATE SET environment_id = port_claims.environment_id
         RETURNING environment_id`,
        [port, protocol, environment.id],
      );
      if (holder.environment_id !== environment.id) throw portInUse({ port, protocol });
    }
  }

  private async othersClaims(
    manager: EntityManager,
    environment: EnvironmentEntity,
    { services }: RunSpec,
  ): Promise<{ port: number; protocol: string }[]> {
    const ports = fixedPorts(services);
    return manager.query(
      `SELECT port, protocol FROM port_claims
       WHERE environment_id <> $1 AND (port, protocol) IN (SELECT * FROM unnest($2::int[], $3::text[]))`,
      [environment.id, ports.map(({ port }) => port), ports.map(({ protocol }) => protocol)],
    );
  }

  /** Frees what was reserved for a deployment that was not written down after all. */
  async giveBack(id: string, environment: EnvironmentEntity): Promise<void> {
    try {
      await this.dataSource.transaction(async (transaction) => {
        // A commit whose answer was lost did write it down, or still does: it holds the environment until it is over.
        await transaction.query('SELECT FROM environments WHERE id = $1 FOR NO KEY UPDATE', [environment.id]);
        if (!(await transaction.existsBy(DeploymentEntity, { id })))
          await this.settlements.release(transaction, id);
      });
      this.settlements.wake();
    } catch {
      // The database is away: the reservation expires by itself.
    }
  }
}

/** Writes a new version of an environment's settings down. Answers which it is. The environment's row is locked. */
export async function addConfiguration(
  transaction: EntityManager,
  { id: environmentId }: EnvironmentEntity,
  { variables, services, restarts, resources }: Settings,
  createdBy: string,
): Promise<number> {
  const last = await transaction.maximum(ConfigurationEntity, 'version', { environmentId });
  const version = (last ?? 0) + 1;
  await transaction.insert(ConfigurationEntity, {
    ...{ environmentId, version, variables, services, restarts, resources, createdBy },
  });
  return version;
}

function underWay({ project, name }: EnvironmentEntity): BerthError {
  return new BerthError(
    'DEPLOYMENT_IN_PROGRESS',
    `A deployment is under way in "${project}.${name}". Wait for its end, or cancel it.`,
  );
}

function portInUse({ port, protocol }: { port: number; protocol: string }): BerthError {
  return new BerthError(
    'PORT_IN_USE',
    `The host's port ${port}/${protocol} is held by another environment. Choose another, or leave the choice to the engine.`,
    { port, protocol },
  );
}
