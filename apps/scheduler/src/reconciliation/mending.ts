import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Deployment, Principal } from '@berth/contracts';
import { newRequestContext, runInContext } from '@berth/runtime';
import { v7 as uuidv7 } from 'uuid';
import { DeploymentEntity } from '../deployments/deployment.entity.js';
import { Redeployment } from '../deployments/redeployment.js';
import type { EngineDrift } from '../engine/container-engine.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';

/** What a Swarm service is told without touching its containers: putting it right does not replace them. */
const OF_THE_SERVICE = /^(|replicas|Labels\..*|UpdateConfig\..*|RollbackConfig\..*|Name|Mode\..*)$/;

/** Brings back what was rolled out, by a deployment like any other: with policy, quota, and no failed request. */
@Injectable()
export class Mending {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly redeployment: Redeployment,
  ) {}

  /**
   * In the name of whoever brought what runs: it is theirs that is restored, and nobody gets to do more by it. Throws what
   * any deployment does.
   */
  async mend(environment: EnvironmentEntity, findings: readonly EngineDrift[]): Promise<Deployment> {
    const actor = await this.actorOf(environment);
    const restarts = { ...environment.restarts };
    // Containers that were made from something else are replaced by new ones beside them, as a restart does.
    for (const service of changedServices(findings)) restarts[service] = (restarts[service] ?? 0) + 1;
    const settings = { ...environment, restarts };
    return runInContext(newRequestContext(uuidv7(), actor), () =>
      this.redeployment.ofPresent(environment, { cause: 'mend', settings }),
    );
  }

  private async actorOf({ deployment, team }: EnvironmentEntity): Promise<Principal> {
    const { permission } = await this.dataSource.manager.findOneByOrFail(DeploymentEntity, {
      id: deployment ?? '',
    });
    return {
      ...{ user: permission.actor.user, kind: 'user', admin: false, tokenId: null },
      ...{ teams: [{ team, role: 'developer' }], scopes: ['*'], expiresAt: null },
    };
  }
}

function changedServices(findings: readonly EngineDrift[]): Set<string> {
  return new Set(
    findings.flatMap(({ service, path }) => (service !== null && !OF_THE_SERVICE.test(path) ? service : [])),
  );
}
