import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline, inNameOf } from '@berth/actions';
import { actions, BerthError, type Deployment, type Principal } from '@berth/contracts';
import { newRequestContext, runInContext, newId } from '@berth/runtime';
import { DeploymentEntity } from '../deployments/deployment.entity.js';
import { Redeployment } from '../deployments/redeployment.js';
import type { EngineDrift } from '../engine/container-engine.js';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { RunSpecs } from '../environments/run-specs.js';

/** What a Swarm service is told without touching its containers: putting it right does not replace them. */
const OF_THE_SERVICE = /^(|replicas|Labels\..*|UpdateConfig\..*|RollbackConfig\..*|Name|Mode\..*)$/;

/** Brings back what was rolled out, by a deployment like any other: with policy, quota, and no failed request. */
@Injectable()
export class Mending {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly specs: RunSpecs,
    private readonly pipeline: ActionPipeline,
    private readonly redeployment: Redeployment,
  ) {}

  /**
   * In the name of whoever brought what runs: it is theirs that is restored, and nobody gets to do more by it. Throws what
   * any deployment does.
   */
  async mendUnasked(environment: EnvironmentEntity, findings: readonly EngineDrift[]): Promise<Deployment> {
    const actor = await this.actorOf(environment);
    return runInContext(newRequestContext(newId(), actor), () =>
      this.mend(environment, () => Promise.resolve(findings)),
    );
  }

  /** In the name of whoever asks. Throws CONFLICT where there is nothing to mend, and what any deployment does. */
  async mend(
    environment: EnvironmentEntity,
    look: () => Promise<readonly EngineDrift[]>,
  ): Promise<Deployment> {
    const action = actions.environmentMend;
    const resource = environmentResource(environment);
    const grant = await this.pipeline.authorize({ action, resource, context: {} });
    const findings = await look();
    const present = await this.specs.of(environment.deployment);
    if (!present || findings.length === 0)
      throw new BerthError(
        'CONFLICT',
        `There is nothing to mend in "${resource.id}": all is as it was rolled out.`,
      );
    const spec = structuredClone(present);
    const restarts = { ...environment.restarts };
    // Containers that were made from something else are replaced by new ones beside them, as a restart does.
    for (const name of changedServices(findings)) {
      const service = spec.services[name];
      if (service) restarts[name] = service.restarts = service.restarts + 1;
    }
    const settings = { ...environment, restarts };
    const asked = { action, grant };
    return this.redeployment.ofPresent(environment, { cause: 'mend', asked, settings, spec });
  }

  private async actorOf({ deployment, team }: EnvironmentEntity): Promise<Principal> {
    const { permission } = await this.dataSource.manager.findOneByOrFail(DeploymentEntity, {
      id: deployment ?? '',
    });
    return inNameOf(permission.actor.user, team, 'developer');
  }
}

function changedServices(findings: readonly EngineDrift[]): Set<string> {
  return new Set(
    findings.flatMap(({ service, path }) => (service !== null && !OF_THE_SERVICE.test(path) ? service : [])),
  );
}
