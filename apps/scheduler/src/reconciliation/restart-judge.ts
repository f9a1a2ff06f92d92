import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ActionPipeline, inNameOf, type Grant } from '@berth/actions';
import { actions, type OwnDenial, type PolicyAnswer } from '@berth/contracts';
import { correlationId, newId, newRequestContext, runInContext } from '@berth/runtime';
import { DataSource } from 'typeorm';
import { DeploymentEntity } from '../deployments/deployment.entity.js';
import { judgeOutcome } from '../deployments/outcome-judge.js';
import {
  CONTAINER_ENGINE,
  type ContainerEngine,
  type LivingInstance,
  type Rollout,
} from '../engine/container-engine.js';
import { serviceResource, type EnvironmentEntity } from '../environments/environment.entity.js';

/** Said of who asks, and not of what runs: it was theirs to run when they deployed it. */
const OF_WHO_ASKS = new Set<string>(['principal-unknown', 'default-deny'] satisfies OwnDenial[]);
/** Said of the policies themselves: nobody knows yet what they will say. */
const NO_WORD = new Set<string>(['policy-broken', 'decision-disputed'] satisfies OwnDenial[]);

export interface RestartDenial {
  service: string;
  /** Under which it is recorded. */
  grant: Grant;
  policies: PolicyAnswer[];
  told: string;
}

export interface RestartVerdict {
  /** Ids of the instances that policy has spoken of. */
  judged: string[];
  denials: RestartDenial[];
}

/**
 * The `after` hooks of instances that the engine started by itself, as if their service had been deployed again by who
 * deployed it.
 */
@Injectable()
export class RestartJudge {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly pipeline: ActionPipeline,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  /** Of instances by their service. Throws POLICY_UNAVAILABLE and ENGINE_UNAVAILABLE. */
  async judge(
    environment: EnvironmentEntity,
    instances: ReadonlyMap<string, readonly LivingInstance[]>,
  ): Promise<RestartVerdict> {
    const verdict: RestartVerdict = { judged: [], denials: [] };
    if (instances.size === 0) return verdict;
    const deployment = await this.dataSource.manager.findOneByOrFail(DeploymentEntity, {
      id: environment.deployment ?? '',
    });
    for (const [service, own] of instances) {
      const ids = new Set(own.map(({ id }) => id));
      const { user } = deployment.permission.actor;
      const context = newRequestContext(newId(), inNameOf(user, environment.team, 'developer'));
      await runInContext(context, () =>
        this.judgeService(environment, deployment, { service, ids }, verdict),
      );
    }
    return verdict;
  }

  private async judgeService(
    environment: EnvironmentEntity,
    deployment: DeploymentEntity,
    { service, ids }: { service: string; ids: ReadonlySet<string> },
    verdict: RestartVerdict,
  ): Promise<void> {
    const inspection = await this.engine.inspect(rolloutOf(deployment), ids);
    const { looked } = inspection;
    if (looked.length === 0) return;
    const grant: Grant = {
      action: actions.instanceRun.name,
      resource: serviceResource(environment, service),
      // By no token: the one that it was deployed with may have ended since.
      actor: { user: deployment.permission.actor.user, tokenId: null },
      request: { deployment: deployment.id, instances: looked },
      ...{ decisions: [], policies: [], correlationId: correlationId() },
    };
    const permission = { ...grant, resource: deployment.permission.resource };
    const denial = await judgeOutcome(this.pipeline, { ...deployment, permission }, inspection);
    const policies = (denial?.policies ?? []).filter(({ id }) => !OF_WHO_ASKS.has(id));
    if (policies.some(({ id }) => NO_WORD.has(id))) return;
    verdict.judged.push(...looked);
    if (denial && policies.length > 0)
      verdict.denials.push({ service, grant: { ...grant, policies }, policies, told: denial.told });
  }
}

function rolloutOf({ id, project, environment, release, spec }: DeploymentEntity): Rollout {
  const secret = (): Promise<never> => Promise.reject(new Error('nothing is rolled out here'));
  return { target: { project, environment }, deployment: id, release, spec, secret };
}
