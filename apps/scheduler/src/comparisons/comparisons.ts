import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import { actions, BerthError, type Diff, type Plan, type schedulerRpc } from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';
import { Preparation } from '../deployments/preparation.js';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { RunSpecs } from '../environments/run-specs.js';
import { ReleasesService } from '../releases/releases.js';
import { differencesOf, plannedServices, under } from './differences.js';

type MakePlan = z.infer<typeof schedulerRpc.plan.request>;
type Compare = z.infer<typeof schedulerRpc.diff.request>;

const RELEASE = /^(sha256:)?[0-9a-f]{6,64}$/;

/** What would change, and what differs. Nothing is changed here. */
@Injectable()
export class Comparisons {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly specs: RunSpecs,
    private readonly releases: ReleasesService,
    private readonly preparation: Preparation,
    private readonly pipeline: ActionPipeline,
  ) {}

  /** Reads, resolves and renders as a deploy would, and throws what that would. */
  async plan({ project, environment: name, compose, images }: MakePlan): Promise<Plan> {
    const environment = await this.environments.find(project, name);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.deploymentPlan, resource, context: {} }, async () => {
      const present = await this.specs.of(environment.deployment);
      const { digest, spec, warnings } = await this.preparation.prepare(
        { compose, images },
        environment,
        environment,
      );
      return {
        ...{ release: digest, current: environment.release, warnings },
        services: plannedServices(present, spec),
        differences: differencesOf(present, spec),
      };
    });
  }

  /** From what runs to what runs in another environment, or to a release under this environment's settings. */
  async diff({ project, environment: name, with: other }: Compare): Promise<Diff> {
    const environment = await this.environments.find(project, name);
    const resource = environmentResource(environment);
    const intent = { action: actions.environmentCompare, resource, context: { with: other } };
    return this.pipeline.read(intent, async () => {
      const from = await this.specs.of(environment.deployment);
      const differences = differencesOf(from, await this.other(environment, other));
      return { from: name, to: other, differences };
    });
  }

  private async other(environment: EnvironmentEntity, other: string): Promise<RunSpec | null> {
    const { project } = environment;
    if (await this.environments.exists(project, other)) {
      const { deployment } = await this.environments.find(project, other);
      return this.specs.of(deployment);
    }
    if (RELEASE.test(other)) return under((await this.releases.ranIn(environment, other)).spec, environment);
    throw new BerthError(
      'NOT_FOUND',
      `"${other}" is neither an environment of "${project}" nor a release that ran in "${environment.name}".`,
    );
  }
}
