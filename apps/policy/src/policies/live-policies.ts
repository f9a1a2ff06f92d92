import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { Health, LOGGER, type Logger } from '@berth/runtime';
import {
  EVALUATORS,
  type Evaluation,
  type EvaluationRequest,
  type Evaluator,
  type Evaluators,
} from '../cedar/evaluator.js';
import { MessageTemplate } from '../cedar/message-template.js';
import { PolicyCompiler } from '../cedar/policy-compiler.js';
import type { LiveHook } from '../hooks/live-hook.js';
import type { PoliciesInForce } from '../decisions/verdict.js';
import { type BoundPolicies, bindPolicies } from './bound-policies.js';
import { placesOf } from './places.js';
import { PolicyStore } from './policy-store.js';
import { STARTING_POLICIES } from './starting-policies.js';

const ROUND_MS = 1_000;
const NO_ADVICE: Evaluation = { allowed: true, determining: [], errors: [] };

export interface LiveSet extends PoliciesInForce {
  revision: number;
  /** When the next exception ends, in milliseconds since 1970; then it is a set of the past. */
  until: number;
  hooks: readonly LiveHook[];
  /** Whether a policy permits anything by name to who shows no token. */
  open: boolean;
}

/**
 * The policies that this instance decides by. It takes a new set when a decision tells it of a newer revision (`atLeast`),
 * when it changed one itself (`refresh`), and on its rounds, so that an idle instance is up to date too.
 */
@Injectable()
export class LivePolicies implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private set: LiveSet | null = null;
  private refreshing: Promise<void> | null = null;
  private rounds: NodeJS.Timeout | null = null;
  private readonly enforcing: Evaluator;
  /** Made when there is something to advise: it takes memory. */
  private advising: Evaluator | null = null;

  constructor(
    private readonly store: PolicyStore,
    private readonly compiler: PolicyCompiler,
    @Inject(EVALUATORS) private readonly evaluators: Evaluators,
    private readonly health: Health,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.enforcing = evaluators();
  }

  async onModuleInit(): Promise<void> {
    const { policies, broken } = await this.compiler.compileSet(STARTING_POLICIES);
    if (broken.size > 0) throw new Error(`starting policies do not hold: ${[...broken.values()].join(' ')}`);
    await this.store.plant(policies.values());
    await this.refresh();
    this.health.add('policies', () => {
      if (!this.set) throw new Error('none are loaded');
    });
    this.rounds = setInterval(() => void this.round(), ROUND_MS).unref();
  }

  beforeApplicationShutdown(): void {
    if (this.rounds) clearInterval(this.rounds);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.refreshing?.catch(() => undefined);
  }

  /** The set in force. What `evaluate` says is said by this one, as long as nothing is awaited in between. */
  get current(): LiveSet {
    if (!this.set) throw new BerthError('POLICY_UNAVAILABLE', 'The policies are not loaded yet. Try again.');
    return this.set;
  }

  /** Whether, as far as this instance knows, a policy permits anything by name to who shows no token. */
  get open(): boolean {
    return this.set?.open ?? false;
  }

  evaluate(request: EvaluationRequest): Evaluation {
    return this.enforcing.decide(request);
  }

  /** What policies say that deny nothing: each that `determining` names would have denied it. */
  advise(request: EvaluationRequest): Evaluation {
    return this.advising?.decide(request) ?? NO_ADVICE;
  }

  /** Resolves when `revision` or a newer one is in force; throws when it cannot be had: nothing older decides. */
  async atLeast(revision: number): Promise<void> {
    if (this.isAt(revision)) return;
    // One that is under way may have begun before that revision was there.
    if (this.refreshing) await this.refreshing.catch(() => undefined);
    if (this.isAt(revision)) return;
    await this.refresh();
    if (!this.isAt(revision)) {
      throw new BerthError(
        'POLICY_UNAVAILABLE',
        `Revision ${revision} of the policies is not there yet. Try again.`,
      );
    }
  }

  /** Takes what the database has now. */
  async refresh(): Promise<void> {
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

  private async load(): Promise<void> {
    const set = await this.store.read();
    const { revision, exceptions, hooks } = set;
    const places = await placesOf(set, this.compiler);
    const { policies, bindings, broken } = places;
    const bound = bindPolicies(places);
    this.loadEvaluators(bound);
    const messages = new Map([...policies].map(([id, { message }]) => [id, new MessageTemplate(message)]));
    for (const [policy, reason] of broken) this.logger.error({ policy, reason }, 'policy.broken');
    // One that is to deny nothing may say nothing either.
    const denying = [...broken].filter(([id]) => bindings.get(id)?.some(({ mode }) => mode === 'deny'));
    const until = Math.min(...exceptions.map(({ expiresAt }) => expiresAt.getTime()));
    const { members } = bound;
    const open = [...members.values()].some(({ namesAnonymous }) => namesAnonymous);
    this.set = { revision, messages, broken: new Map(denying), members, until, hooks, open };
    this.logger.info({ revision, policies: policies.size }, 'policies.in-force');
  }

  /** Both or none, as far as decisions go: what advises is loaded first, so that a failure leaves what decides as it was. */
  private loadEvaluators({ enforced, advisory }: BoundPolicies): void {
    if (advisory.size > 0) this.advising ??= this.evaluators();
    this.advising?.load(advisory);
    this.enforcing.load(enforced);
  }

  /** Whether what is in force is that revision or a newer one. */
  isAt(revision: number): boolean {
    return this.set !== null && this.set.revision >= revision && Date.now() < this.set.until;
  }

  private async round(): Promise<void> {
    try {
      const revision = await this.store.revision();
      await this.atLeast(revision);
    } catch (error) {
      this.logger.warn({ err: error }, 'policies.not-refreshed');
    }
  }
}
