import { Inject, Injectable } from '@nestjs/common';
import { CONTAINER_ENGINE, type ContainerEngine, type EngineDrift } from '../engine/container-engine.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { RunSpecs } from '../environments/run-specs.js';

/** Holds what should run in an environment against what the engine has. */
@Injectable()
export class DriftDetector {
  constructor(
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    private readonly specs: RunSpecs,
  ) {}

  /** As of now. Means something only while no deployment is under way. */
  async of(environment: EnvironmentEntity): Promise<EngineDrift[]> {
    const { project, name, deployment, release } = environment;
    const spec = await this.specs.of(deployment);
    if (deployment === null || release === null || !spec) return [];
    const target = { project, environment: name };
    // Values are compared by their versions.
    const secret = (): Promise<never> => Promise.reject(new Error('no secret is read to find drift'));
    return this.engine.drift({ target, deployment, release, spec, secret });
  }
}
