import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline, requireActor, type Grant } from '@berth/actions';
import { actions, BerthError, type Deployment } from '@berth/contracts';
import { asBerthError, newId } from '@berth/runtime';
import type { RunSpec } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';
import {
  environmentResource,
  serviceResource,
  type EnvironmentEntity,
} from '../environments/environment.entity.js';
import { DeploymentStore } from './deployment-store.js';
import { toDeployment } from './deployment.entity.js';
import { amountsOf, deploymentFacts, instanceFacts, noFacts } from './facts.js';
import { Preparation, type Prepared } from './preparation.js';
import { newSteps, withStep } from './steps.js';
import { RolloutTimes } from './rollout-times.js';
import type { Wanted } from './wanted.js';

/** How long quota holds what a deployment asks for beyond its deadline: the way back takes time too. */
const HOLD_SECONDS = 900;

/**
 * Takes in a deployment, whatever asks for it: makes or finds its release, renders it for the environment, asks policy,
 * takes the quota, and writes it down with its record. What happens then is the rollout's.
 */
@Injectable()
export class Intake {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly preparation: Preparation,
    private readonly store: DeploymentStore,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    private readonly times: RolloutTimes,
  ) {}

  /**
   * Throws COMPOSE_INVALID, COMPOSE_UNSUPPORTED, SECRET_NOT_FOUND, what the registry-proxy says of an image, ENGINE_UNAVAILABLE,
   * POLICY_DENIED, QUOTA_EXCEEDED, DEPLOYMENT_IN_PROGRESS, PORT_IN_USE or HOST_IN_USE; then nothing was done.
   */
  async take(environment: EnvironmentEntity, wanted: Wanted): Promise<Deployment> {
    try {
      return await this.bring(environment, wanted);
    } catch (thrown) {
      const { code, message } = asBerthError(thrown);
      const outcome = code === 'POLICY_DENIED' || code === 'QUOTA_EXCEEDED' ? 'denied' : 'failed';
      if (wanted.asked)
        await this.pipeline.recordAlone(wanted.asked.grant, { outcome, code, reason: message });
      throw thrown;
    }
  }

  private async bring(environment: EnvironmentEntity, wanted: Wanted): Promise<Deployment> {
    if (!wanted.asked) await this.turnAwayStrangers(environment);
    let steps = withStep(newSteps(), 'resolving', 'running', null);
    const settings = wanted.settings ?? environment;
    const [prepared] = await Promise.all([
      this.preparation.prepare(wanted.source, settings, environment),
      this.engine.prepare(),
    ]);
    const { digest, release, images, warnings } = prepared;
    const spec = wanted.spec ?? prepared.spec;
    if (wanted.discards) spec.discards = wanted.discards;
    steps = withStep(steps, 'resolving', 'succeeded', warnings.join(' ') || null);
    steps = withStep(steps, 'policy', 'running', null);
    // Looked up while policy is asked, and told to none but whom it permits.
    const free = this.store.refuseIfBusy(environment, spec);
    free.catch(() => undefined);
    const grant = await this.pipeline.authorize({
      action: actions.deploymentCreate,
      resource: environmentResource(environment),
      context: deploymentFacts(environment.name, digest, spec, images),
    });
    grant.decisions.push(...(await this.authorizeInstances(environment, prepared, spec)));
    steps = withStep(steps, 'policy', 'succeeded', null);
    await free;
    steps = withStep(steps, 'quota', 'running', null);
    const id = newId();
    const deadline = this.times.deadline(spec);
    await this.reserve(id, environment, spec, grant, deadline);
    steps = withStep(steps, 'quota', 'succeeded', null);
    const { cause, asked } = wanted;
    const created = await this.store.create({
      ...{ id, environment, cause, grant, asked, steps, deadline, digest, release, spec },
      settings: wanted.settings,
    });
    return toDeployment(created);
  }

  /** Of each service apart. Answers the decisions, which the record of the deployment names. */
  private async authorizeInstances(
    environment: EnvironmentEntity,
    { digest: release, images }: Prepared,
    { services }: RunSpec,
  ): Promise<string[]> {
    const place = { environment: environment.name, release };
    const asked = Object.entries(services).map(([name, service]) =>
      this.pipeline.authorize({
        action: actions.instanceRun,
        resource: serviceResource(environment, name),
        context: instanceFacts(place, name, service, images[name]),
      }),
    );
    // Each denial is recorded, not only the one that is told.
    await Promise.allSettled(asked);
    return (await Promise.all(asked)).flatMap(({ decisions }) => decisions);
  }

  /** Whoever may not know of the environment learns nothing from the errors of what was sent. */
  private async turnAwayStrangers(environment: EnvironmentEntity): Promise<void> {
    const { admin, teams } = requireActor();
    if (admin || teams.some(({ team }) => team === environment.team)) return;
    const resource = environmentResource(environment);
    const context = noFacts(environment.name);
    await this.pipeline.authorize({ action: actions.deploymentCreate, resource, context });
  }

  private async reserve(
    id: string,
    environment: EnvironmentEntity,
    spec: RunSpec,
    grant: Grant,
    deadline: Date,
  ): Promise<void> {
    const { team, project, name } = environment;
    try {
      await this.pipeline.reserve(grant, {
        ...{ id, team, project, environment: name, user: grant.actor.user, amounts: amountsOf(spec) },
        expiresInSeconds: Math.ceil((deadline.getTime() - Date.now()) / 1_000) + HOLD_SECONDS,
      });
    } catch (error) {
      // Without an answer it may be held all the same.
      if (error instanceof BerthError && error.code === 'QUOTA_UNAVAILABLE')
        await this.store.giveBack(id, environment);
      throw error;
    }
  }
}
