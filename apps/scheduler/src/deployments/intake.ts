import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { ActionPipeline, requireActor, type Grant } from '@berth/actions';
import { actions, BerthError, type Deployment, type DeploymentStep } from '@berth/contracts';
import { pinImages, readCompose, releaseDigest, type ComposeSpec, type RunSpec } from '../compose/index.js';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { versionsFor } from '../secrets/secret-use.js';
import { SecretsService } from '../secrets/secrets.js';
import { DeploymentStore } from './deployment-store.js';
import { toDeployment } from './deployment.entity.js';
import { amountsOf, deploymentFacts, noFacts } from './facts.js';
import { Images } from './images.js';
import { newSteps, withStep } from './steps.js';
import { RolloutTimes } from './rollout-times.js';

/** How long quota holds what a deployment asks for beyond its deadline: the way back takes time too. */
const HOLD_SECONDS = 900;

interface Prepared {
  spec: ComposeSpec;
  release: RunSpec;
  digest: string;
  facts: ReturnType<typeof deploymentFacts>;
  steps: DeploymentStep[];
}

/**
 * Takes in a deployment: reads the Compose file, resolves its images, asks policy, takes the quota, and writes it down
 * with its record. What happens then is the rollout's.
 */
@Injectable()
export class Intake {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly images: Images,
    private readonly store: DeploymentStore,
    private readonly secrets: SecretsService,
    private readonly times: RolloutTimes,
  ) {}

  /**
   * Throws COMPOSE_INVALID, COMPOSE_UNSUPPORTED, SECRET_NOT_FOUND, what the registry-proxy says of an image, ENGINE_UNAVAILABLE,
   * POLICY_DENIED, QUOTA_EXCEEDED, DEPLOYMENT_IN_PROGRESS or PORT_IN_USE; then nothing was done.
   */
  async take(environment: EnvironmentEntity, compose: string): Promise<Deployment> {
    await this.turnAwayStrangers(environment);
    const prepared = await this.prepare(environment, compose);
    const resource = environmentResource(environment);
    let steps = withStep(prepared.steps, 'policy', 'running', null);
    const grant = await this.pipeline.authorize({
      action: actions.deploymentCreate,
      resource,
      context: prepared.facts,
    });
    steps = withStep(steps, 'policy', 'succeeded', null);
    await this.store.refuseIfBusy(environment, prepared.release);
    steps = withStep(steps, 'quota', 'running', null);
    const id = uuidv7();
    const deadline = this.times.deadline(prepared.release);
    await this.reserve(id, environment, prepared.spec, grant, deadline);
    steps = withStep(steps, 'quota', 'succeeded', null);
    const created = await this.store.create({
      ...{ id, environment, grant, steps, deadline },
      ...{ digest: prepared.digest, release: prepared.release },
    });
    return toDeployment(created);
  }

  /** Whoever may not know of the environment learns nothing from the errors of what was sent. */
  private async turnAwayStrangers(environment: EnvironmentEntity): Promise<void> {
    const { admin, teams } = requireActor();
    if (admin || teams.some(({ team }) => team === environment.team)) return;
    const resource = environmentResource(environment);
    const context = noFacts(environment.name);
    await this.pipeline.authorize({ action: actions.deploymentCreate, resource, context });
  }

  private async prepare(environment: EnvironmentEntity, compose: string): Promise<Prepared> {
    const begun = withStep(newSteps(), 'resolving', 'running', null);
    const { spec, warnings } = readCompose(compose, environment.variables);
    const secrets = versionsFor(spec, await this.secrets.latest(environment.id), environment);
    const images = await this.images.resolve(spec);
    const release = { ...pinImages(spec, images), secrets };
    const digest = releaseDigest(release);
    const facts = deploymentFacts(environment.name, digest, spec, images);
    const steps = withStep(begun, 'resolving', 'succeeded', warnings.join(' ') || null);
    return { spec, release, digest, facts, steps };
  }

  private async reserve(
    id: string,
    { team, project, name }: EnvironmentEntity,
    spec: ComposeSpec,
    grant: Grant,
    deadline: Date,
  ): Promise<void> {
    try {
      await this.pipeline.reserve(grant, {
        ...{ id, team, project, environment: name, user: grant.actor.user, amounts: amountsOf(spec) },
        expiresInSeconds: Math.ceil((deadline.getTime() - Date.now()) / 1_000) + HOLD_SECONDS,
      });
    } catch (error) {
      // Without an answer it may be held all the same.
      if (error instanceof BerthError && error.code === 'QUOTA_UNAVAILABLE') await this.store.giveBack(id);
      throw error;
    }
  }
}
