import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import { actions, type buildRpc } from '@berth/contracts';
import { newId } from '@berth/runtime';
import { ProjectsService } from '../projects/projects.js';
import { Bases } from './bases.js';
import { buildFacts, imageResource, repositoryOf, type KnownBuild } from './build-facts.js';
import { planBuild } from './build-plan.js';
import { BuildRun, type PreparedBuild } from './build-run.js';
import type { BuildSession } from './build-session.js';
import { BuildSessions } from './build-sessions.js';
import { DOCKERFILE_LIMIT, readDockerfile } from './dockerfile.js';

type Request = z.infer<typeof buildRpc.start.request>;

/** Takes builds in: reads what is asked for, asks policy and quota, and hands over to the run. */
@Injectable()
export class BuildsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly pipeline: ActionPipeline,
    private readonly sessions: BuildSessions,
    private readonly bases: Bases,
    private readonly run: BuildRun,
  ) {}

  /**
   * Resolves when it was let begin. Throws BODY_TOO_LARGE, CONTEXT_INVALID, DOCKERFILE_INVALID, DOCKERFILE_UNSUPPORTED, what the
   * registry-proxy says of an image, POLICY_DENIED or QUOTA_EXCEEDED; then nothing was done.
   */
  async start({ project: name, stream, options }: Request): Promise<Record<string, never>> {
    const project = await this.projects.find(name);
    const known = { project, options, ...this.run.terms };
    await this.turnAwayStrangers(known);
    await this.sessions.hold(stream, async (session) => {
      const build = await this.begin(known, session);
      return () => this.run.finish(build, session);
    });
    return {};
  }

  private async begin(known: KnownBuild, session: BuildSession): Promise<PreparedBuild> {
    const { project, options } = known;
    session.ready();
    const context = await session.context();
    const platform = await this.bases.platform();
    const text = await context.read(options.dockerfile, DOCKERFILE_LIMIT);
    const plan = planBuild(readDockerfile(text), {
      arguments: options.arg,
      target: options.target,
      platform,
    });
    const bases = await this.bases.find(plan.bases);
    const repository = repositoryOf(project, options.name);
    const grant = await this.pipeline.authorize({
      action: actions.imageBuild,
      resource: imageResource(project, repository),
      context: buildFacts(known, { plan, bases, contextBytes: context.bytes }),
    });
    const id = newId();
    const holdOn = await this.run.begin(id, known, grant);
    return { id, ...known, repository, plan, bases, context, grant, holdOn };
  }

  /** Whoever may not know of the project sends nothing, and learns nothing from errors. */
  private async turnAwayStrangers(known: KnownBuild): Promise<void> {
    const { admin, teams } = requireActor();
    const { project, options } = known;
    if (admin || teams.some(({ team }) => team === project.team)) return;
    const resource = imageResource(project, repositoryOf(project, options.name));
    await this.pipeline.authorize({ action: actions.imageBuild, resource, context: buildFacts(known, null) });
  }
}
