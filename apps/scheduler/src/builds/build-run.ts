import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline, type Ending, type Grant } from '@berth/actions';
import { actions, BerthError, registryRpc, runsAs, type BuiltImage } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { asBerthError } from '@berth/runtime';
import {
  IMAGE_BUILDER,
  type EngineImage,
  type ImageBuilder,
  type ImageProgress,
} from '../engine/image-builder.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { BuildAccounts, HOLD_ON_MS } from './build-accounts.js';
import type { FoundBase, KnownBuild } from './build-facts.js';
import type { BuildPlan } from './build-plan.js';
import type { BuildSession } from './build-session.js';
import type { ContextSpool } from './context-spool.js';
import { Turns } from './turns.js';

/** A build that policy and quota let begin. */
export interface PreparedBuild extends KnownBuild {
  /** Of what it holds of the quota. */
  id: string;
  repository: string;
  plan: BuildPlan;
  bases: readonly FoundBase[];
  context: ContextSpool;
  grant: Grant;
  /** Holds its quota on. */
  holdOn(): Promise<void>;
}

/** Builds, has policy judge what came of it, and puts it into the registry. */
@Injectable()
export class BuildRun {
  private readonly turns: Turns;

  constructor(
    private readonly pipeline: ActionPipeline,
    @Inject(IMAGE_BUILDER) private readonly builder: ImageBuilder,
    private readonly accounts: BuildAccounts,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(SCHEDULER_ENV) private readonly env: SchedulerEnv,
  ) {
    this.turns = new Turns(env.SCHEDULER_BUILDS);
  }

  /** What holds for all builds here. */
  get terms(): Pick<KnownBuild, 'limits' | 'network'> {
    const { SCHEDULER_BUILD_CPUS: cpus, SCHEDULER_BUILD_MEMORY: memoryBytes } = this.env;
    return { limits: { cpuMillis: Math.round(cpus * 1_000), memoryBytes }, network: this.builder.network };
  }

  /** Takes the quota, and records that it begins. */
  begin(id: string, known: KnownBuild, grant: Grant): Promise<() => Promise<void>> {
    return this.accounts.begin(id, known, grant);
  }

  /** To its end, which is told and recorded; never throws. */
  async finish(build: PreparedBuild, session: BuildSession): Promise<void> {
    const seconds = this.env.SCHEDULER_BUILD_SECONDS;
    const late = setTimeout(() => session.end(tooLong(seconds)), seconds * 1_000);
    const holding = setInterval(() => void this.holdOn(build, session), HOLD_ON_MS);
    try {
      const image = await this.build(build, session);
      const { digest } = image;
      await this.accounts.end(
        build.id,
        { ...build.grant, request: { ...build.grant.request, digest } },
        { outcome: 'succeeded' },
      );
      session.built(image);
    } catch (thrown) {
      const error = session.signal.aborted ? asBerthError(session.signal.reason) : asBerthError(thrown);
      await this.accounts.end(build.id, build.grant, endingOf(error));
      session.failed(error);
    } finally {
      clearTimeout(late);
      clearInterval(holding);
    }
  }

  /** That quota does not answer for a moment is no reason to end what it let begin. */
  private async holdOn(build: PreparedBuild, session: BuildSession): Promise<void> {
    await build.holdOn().catch((thrown: unknown) => {
      const error = asBerthError(thrown);
      if (error.code === 'QUOTA_EXCEEDED') session.end(error);
    });
  }

  private async build(build: PreparedBuild, session: BuildSession): Promise<BuiltImage> {
    const progress = { log: session.log, signal: session.signal };
    const release = await this.turns.take(session.signal, (others) => {
      void session.log(`Waiting: ${others} other ${others === 1 ? 'build comes' : 'builds come'} first.`);
    });
    try {
      const made = await this.make(build, progress);
      return await this.keep(build, made, progress);
    } finally {
      release();
    }
  }

  private async make(build: PreparedBuild, progress: ImageProgress): Promise<EngineImage> {
    const { plan, bases, context, options, limits } = build;
    const pinned = new Map(
      bases.map(({ reference, repository, digest }) => [reference, this.pinned(repository, digest)]),
    );
    const dockerfile = `.berth-dockerfile-${randomUUID()}`;
    // The engine takes both out of the context again, once it has read them.
    const files = { [dockerfile]: plan.write(pinned), '.dockerignore': `${dockerfile}\n.dockerignore\n` };
    return this.builder.build(
      {
        ...{ context: context.with(files), dockerfile, target: options.target },
        ...{ arguments: plan.arguments, cache: options.cache, limits },
      },
      progress,
    );
  }

  /** What policy denies by what it is, or the registry does not take, is gone again. */
  private async keep(build: PreparedBuild, made: EngineImage, progress: ImageProgress): Promise<BuiltImage> {
    const { repository, options, grant } = build;
    const { tag } = options;
    try {
      const facts = { ...made.facts, user: runsAs(made.facts.user) };
      await this.pipeline.judgeOrThrow(actions.imageBuild, grant, facts);
      const { token } = await this.rpc.call(registryRpc.pushLogin, { repository });
      const digest = await this.builder.push(made, { repository, tag, token }, progress);
      return { repository, tag, digest, reference: this.pinned(repository, digest), size: made.facts.size };
    } catch (error) {
      // Where the engine is away by now, it keeps what nobody can get at: that is not what is to be told.
      await this.builder.discard(made).catch(() => undefined);
      throw error;
    }
  }

  private pinned(repository: string, digest: string): string {
    return `${this.env.BERTH_REGISTRY}/${repository}@${digest}`;
  }
}

function endingOf({ code, message }: BerthError): Ending {
  return { outcome: code === 'POLICY_DENIED' ? 'denied' : 'failed', code, reason: message };
}

function tooLong(seconds: number): BerthError {
  return new BerthError('BUILD_FAILED', `The image was not built within ${seconds} seconds.`);
}
