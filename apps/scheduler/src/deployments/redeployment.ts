import { Injectable } from '@nestjs/common';
import { notFound } from '@berth/actions';
import type { Deployment, ResourceRef } from '@berth/contracts';
import { EMPTY_RELEASE, releaseDigest } from '../compose/index.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { RunSpecs } from '../environments/run-specs.js';
import type { ReleaseEntity } from '../releases/release.entity.js';
import { ReleasesService } from '../releases/releases.js';
import { Intake } from './intake.js';
import { RolloutWorker } from './rollout-worker.js';
import type { Wanted } from './wanted.js';

const EMPTY = { digest: releaseDigest(EMPTY_RELEASE), spec: EMPTY_RELEASE };

/** Deployments of releases that are there already. */
@Injectable()
export class Redeployment {
  constructor(
    private readonly releases: ReleasesService,
    private readonly specs: RunSpecs,
    private readonly intake: Intake,
    private readonly worker: RolloutWorker,
  ) {}

  /** Of what runs, under other settings; of the empty release where nothing was deployed yet. */
  async ofPresent(environment: EnvironmentEntity, wanted: Omit<Wanted, 'source'>): Promise<Deployment> {
    const { project, release } = environment;
    return this.of(environment, release === null ? EMPTY : await this.releases.get(project, release), wanted);
  }

  async of(
    environment: EnvironmentEntity,
    { digest, spec: release }: Pick<ReleaseEntity, 'digest' | 'spec'>,
    wanted: Omit<Wanted, 'source'>,
  ): Promise<Deployment> {
    const deployment = await this.intake.take(environment, { ...wanted, source: { digest, release } });
    this.worker.wake();
    return deployment;
  }

  /** Throws NOT_FOUND for a service that what runs does not have. */
  async requireService(
    environment: EnvironmentEntity,
    resource: ResourceRef,
    service: string,
  ): Promise<void> {
    const spec = await this.specs.of(environment.deployment);
    if (!Object.hasOwn(spec?.services ?? {}, service)) throw notFound(resource);
  }
}
