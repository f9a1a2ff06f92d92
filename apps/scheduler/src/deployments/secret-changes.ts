import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { BerthError, type ChangedSecret, type secretRpc } from '@berth/contracts';
import { asBerthError } from '@berth/runtime';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { RunSpecs } from '../environments/run-specs.js';
import { SecretsService } from '../secrets/secrets.js';
import { Redeployment } from './redeployment.js';

type Set = z.infer<typeof secretRpc.set.request>;

/** New values of secrets, on their way to the services that are given them. */
@Injectable()
export class SecretChanges {
  constructor(
    private readonly secrets: SecretsService,
    private readonly environments: EnvironmentsService,
    private readonly specs: RunSpecs,
    private readonly redeployment: Redeployment,
  ) {}

  /** The value is kept whatever becomes of the rollout: an error says that it waits for the next one. */
  async set(request: Set): Promise<ChangedSecret> {
    const secret = await this.secrets.set(request);
    const environment = await this.environments.find(request.project, request.environment);
    const spec = await this.specs.of(environment.deployment);
    if (!Object.hasOwn(spec?.secrets ?? {}, request.name)) return { ...secret, deployment: null };
    return { ...secret, deployment: await this.rollOut(environment, secret.name, secret.version) };
  }

  private async rollOut(
    environment: EnvironmentEntity,
    name: string,
    version: number,
  ): Promise<ChangedSecret['deployment']> {
    try {
      return await this.redeployment.ofPresent(environment, { cause: 'configure' });
    } catch (thrown) {
      const { code, message, extensions } = asBerthError(thrown);
      throw new BerthError(
        code,
        `The secret "${name}" has its version ${version}, which waits for the next deployment: ${message}`,
        extensions,
      );
    }
  }
}
