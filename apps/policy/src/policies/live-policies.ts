import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { Health, LOGGER, type Logger } from '@berth/runtime';
import { EVALUATOR, type Evaluation, type EvaluationRequest, type Evaluator } from '../cedar/evaluator.js';
import { evaluable, PolicyCompiler } from '../cedar/policy-compiler.js';

import type { PoliciesInForce } from '../decisions/verdict.js';
import { PolicyStore } from './policy-store.js';
import { STARTING_POLICIES } from './starting-policies.js';

const ROUND_MS = 1_000;

export interface LiveSet extends PoliciesInForce {
  revision: number;
}

/**
 * The policies that this instance decides by. It takes a new set when a decision tells it of a newer revision (`atLeast`),
 * when it changed one itself (`refresh`), and on its rounds, so that an idle instance is up to date too.
 */
@Injectable()
export class LivePolicies implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private set: LiveSet | null = null;
  private refreshing: Promise<LiveSet> | null = null;
  private rounds: NodeJS.Timeout | null = null;

  constructor(
    private readonly store: PolicyStore,
    private readonly compiler: PolicyCompiler,
    @Inject(EVALUATOR) private readonly evaluator: Evaluator,
    private readonly health: Health,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    const { policies } = await this.compiler.compileSet(STARTING_POLICIES);
    await this.store.plant(policies.values());
    await this.refresh();
    this.health.add('policies', () => {
      if (!this.set) throw new Error('no policies are loaded');
      if (this.set.broken.size > 0)
        throw new Error(`cannot be evaluated: ${[...this.set.broken.keys()].join(', ')}`);
    });
    this.rounds = setInterval(() => void this.round(), ROUND_MS).unref();
  }

  beforeApplicationShutdown(): void {
    if (this.rounds) clearInterval(this.rounds);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.refreshing?.catch(() => undefined);
  }

  /** The set in force, at `revision` or newer. Throws POLICY_UNAVAILABLE when it cannot be had: nothing older decides. */
  async atLeast(revision: number): Promise<LiveSet> {
    if (this.set && this.set.revision >= revision) return this.set;
    // One that is under way may have begun before that revision was there.
    if (this.refreshing) await this.refreshing.catch(() => undefined);
    if (this.set && this.set.revision >= revision) return this.set;
    const set = await this.refresh();
    if (set.revision >= revision) return set;
    throw new BerthError(
      'POLICY_UNAVAILABLE',
      `Revision ${revision} of the policies is not there yet. Try again.`,
    );
  }

  /** Asks the policies in force. To be called at once after `atLeast`, with nothing awaited in between. */
  evaluate(request: EvaluationRequest): Evaluation {
    return this.evaluator.decide(request);
  }

  /** Takes what the database has now. */
  async refresh(): Promise<LiveSet> {
    const before = this.refreshing;
    const work = (async () => {
      await before?.catch(() => undefined);
      return this.load();
    })();
    this.refreshing = work;
    try {
      return await work;
    } finally {
      if (this.refreshing === work) this.refreshing = null;
    }
  }

  private async load(): Promise<LiveSet> {
    const { revision, texts } = await this.store.read();
    const { policies, broken } = await this.compiler.compileSet(texts);
    this.evaluator.load(evaluable(policies));
    const messages = new Map([...policies].map(([id, { message }]) => [id, message]));
    this.set = { revision, messages, broken };
    for (const [policy, reason] of broken) this.logger.error({ policy, reason }, 'policy.broken');
    this.logger.info({ revision, policies: policies.size }, 'policies.in-force');
    return this.set;
  }

  private async round(): Promise<void> {
    try {
      const revision = await this.store.revision();
      if (!this.set || revision > this.set.revision) await this.atLeast(revision);
    } catch (error) {
      this.logger.warn({ err: error }, 'policies.not-refreshed');
    }
  }
}
