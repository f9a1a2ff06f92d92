import { Inject, Injectable } from '@nestjs/common';
import type { HaltedService } from '@berth/contracts';
import {
  CONTAINER_ENGINE,
  type ContainerEngine,
  type EngineDrift,
  type Rollout,
} from '../engine/container-engine.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { RunSpecs } from '../environments/run-specs.js';
import { SecretsService } from '../secrets/secrets.js';

/** Holds what should run in environments against what the engine has. */
@Injectable()
export class DriftDetector {
  constructor(
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    private readonly specs: RunSpecs,
    private readonly secrets: SecretsService,
  ) {}

  /** Of one, as of now. Means something only while no deployment is under way. */
  async of(environment: EnvironmentEntity): Promise<EngineDrift[]> {
    return (await this.ofAll([environment])).get(environment.id) ?? [];
  }

  /** Of each that runs something, by its id: one look at the engine for all. */
  async ofAll(environments: readonly EnvironmentEntity[]): Promise<Map<string, EngineDrift[]>> {
    const specs = await this.specs.ofAll(environments.flatMap(({ deployment }) => deployment ?? []));
    const rollouts = environments.flatMap((environment): [EnvironmentEntity, Rollout][] => {
      const { id, project, name, deployment, release } = environment;
      const spec = specs.get(deployment ?? '');
      if (deployment === null || release === null || !spec) return [];
      const secret = (secretName: string, version: number): Promise<Buffer> =>
        this.secrets.read(id, secretName, version);
      return [[environment, { target: { project, environment: name }, deployment, release, spec, secret }]];
    });
    if (rollouts.length === 0) return new Map();
    const found = await this.engine.drift(rollouts.map(([, rollout]) => rollout));
    return new Map(
      rollouts.map(([{ id, halted }], index) => [id, found[index].filter((each) => !isHalt(each, halted))]),
    );
  }
}

/** That policy has stopped a service is nobody's change. */
function isHalt({ service, path }: EngineDrift, halted: readonly HaltedService[]): boolean {
  return path === 'replicas' && halted.some((each) => each.service === service);
}
