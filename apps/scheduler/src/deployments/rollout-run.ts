import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, type ErrorCode } from '@berth/contracts';
import { asBerthError } from '@berth/runtime';
import type { RunSpec } from '../compose/index.js';
import type { Rollout, RolloutOutcome, RolloutProgress } from '../engine/container-engine.js';
import type { DeploymentEntity, Undo } from './deployment.entity.js';
import { added, addUsers, removeUsers, rotated } from '../resources/users.js';
import type { Ingress } from '../ingress/ingress.js';
import { judgeOutcome } from './outcome-judge.js';
import { LeaseLost, type Held } from './rollout-ledger.js';
import type { RunTools } from './run-tools.js';
import { StepWriter } from './step-writer.js';

/** How long the way back may take: what ran before is known to come up. */
const RESTORE_MS = 5 * 60_000;
const LEAST_MS = 10_000;
const RETRY_MS = 1_000;
/** Passing troubles of others: a rollout outlives them. */
const PASSING = new Set<ErrorCode>(['ENGINE_UNAVAILABLE', 'POLICY_UNAVAILABLE', 'SERVICE_UNAVAILABLE']);

export interface RunSpecs {
  wanted: RunSpec;
  previous: RunSpec | null;
}

/** Why a run stops before its end. */
export type Interruption = { kind: 'cancelled'; by: string } | { kind: 'handed-over' } | { kind: 'lost' };

/**
 * One deployment from wherever it is to its end: rolled out, inspected, judged and written down; or taken back, with
 * what ran before confirmed. Each part can be done again by whoever takes over.
 */
export class RolloutRun {
  /** Ends the rollout: a wish to cancel it does, and all that ends the run. */
  private readonly bringing = new AbortController();
  /** Ends the run, so that another takes it up where it is. */
  private readonly running = new AbortController();
  private readonly steps: StepWriter;
  private cancelledBy: string | null;
  private judged: string[] = [];

  constructor(
    private readonly tools: RunTools,
    private readonly held: Held,
    private readonly deployment: DeploymentEntity,
    private readonly specs: RunSpecs,
    private readonly ingress: Pick<Ingress, 'probe' | 'catchUp'>,
  ) {
    this.cancelledBy = deployment.cancelledBy;
    if (this.cancelledBy !== null) this.bringing.abort();
    this.steps = new StepWriter(
      deployment.steps,
      (steps) => tools.ledger.progress(held, steps),
      () => this.interrupt({ kind: 'lost' }),
    );
  }

  interrupt(interruption: Interruption): void {
    if (interruption.kind === 'cancelled') this.cancelledBy ??= interruption.by;
    else this.running.abort();
    this.bringing.abort();
  }

  get interrupted(): boolean {
    return this.running.signal.aborted;
  }

  async run(): Promise<void> {
    const undo = this.deployment.undo ?? (await this.bring());
    if (undo) await this.takeBack(undo);
  }

  /** Rolls out and writes the success down; or answers why it has to be taken back. */
  private async bring(): Promise<Undo | null> {
    try {
      const undo = await this.rollOut();
      if (undo) return await this.begin(undo);
    } catch (error) {
      this.running.signal.throwIfAborted();
      if (this.cancelledBy !== null)
        return this.begin(undoFor('cancelled', `Cancelled by ${this.cancelledBy}.`));
      return this.begin(undoFor('failed', this.messageOf(error)));
    }
    // From here on it has succeeded; what is left is to write it down.
    await this.steps.flush();
    await this.tools.ledger.finish(this.held, {
      ...{ permission: this.deployment.permission, steps: this.steps.current, reason: null, undo: null },
      running: { digest: this.deployment.release, spec: this.specs.wanted },
      judged: this.judged,
    });
    return null;
  }

  private async rollOut(): Promise<Undo | null> {
    const { engine } = this.tools;
    const deadline = notBefore(this.deployment.deadline);
    const { signal } = this.bringing;
    signal.throwIfAborted();
    const rollout = this.rollout(this.deployment.release, this.specs.wanted);
    this.steps.set('rolling-out', 'running', null);
    const { previous } = this.specs;
    // Where something runs already, the way in is there before the first instance, and follows while they start.
    let led: Promise<void> | undefined;
    const lead = (): Promise<void> => {
      led ??= this.catchUp(deadline, signal);
      led.catch(() => undefined);
      return led;
    };
    if (!previous || !hasInstances(previous)) await lead();
    await this.insist(deadline, signal, () => addUsers(engine, rollout, rotated(previous, rollout.spec)));
    const outcome = await this.insist(deadline, signal, () =>
      engine.rollOut(rollout, {
        ...{ deadline, signal, reaches: this.ingress.probe },
        progress: (progress) => {
          void lead();
          this.onProgress(progress);
        },
      }),
    );
    if (outcome.state === 'failed') return undoFor('failed', outcome.reason);
    await lead();
    this.steps.set('rolling-out', 'succeeded', null);
    await this.insist(deadline, signal, () => addUsers(engine, rollout, added(previous, rollout.spec)));
    this.steps.set('healthy', 'running', 'asking policy about what runs');
    const denied = await this.insist(deadline, signal, () => this.judge(rollout));
    if (denied) return denied;
    if (previous && isReachedElsewhere(previous, rollout.spec)) {
      await this.tools.ledger.serve(this.held);
      await this.catchUp(deadline, signal);
    }
    // What still ends what it has in hand does so with the credentials that it came with.
    const untilGone = rotated(previous, rollout.spec).length > 0;
    await this.insist(deadline, signal, () => engine.removeOthers(rollout, { untilGone }));
    await this.insist(deadline, signal, () => removeUsers(engine, rollout, previous));
    for (const volume of rollout.spec.discards ?? [])
      await this.insist(deadline, signal, () => engine.removeVolume(rollout.target, volume));
    this.steps.set('healthy', 'succeeded', null);
    return null;
  }

  /** Until the way in knows what should run by now. */
  private async catchUp(deadline: Date, signal: AbortSignal): Promise<void> {
    await this.insist(deadline, signal, () =>
      Promise.race([this.ingress.catchUp(this.specs.wanted), aborted(signal)]),
    );
    signal.throwIfAborted();
  }

  private onProgress({ message, settled }: RolloutProgress): void {
    if (!settled) {
      if (this.steps.statusOf('rolling-out') === 'running') this.steps.set('rolling-out', 'running', message);
      else this.steps.set('healthy', 'running', message);
      return;
    }
    this.steps.set('rolling-out', 'succeeded', null);
    this.steps.set('healthy', 'running', message);
  }

  /** The `after` hooks, on the containers as they are. */
  private async judge(rollout: Rollout): Promise<Undo | null> {
    const { engine, pipeline } = this.tools;
    const found = await engine.inspect(rollout);
    this.judged = found.looked;
    const denial = await judgeOutcome(pipeline, this.deployment, found);
    if (!denial) return null;
    const reason = `Policy denies what came up, so it was undone. ${denial.told}`;
    return { ...undoFor('denied', reason, 'POLICY_DENIED'), policies: denial.policies };
  }

  private async begin(undo: Undo): Promise<Undo> {
    await this.steps.flush();
    const { permission } = this.deployment;
    await this.tools.ledger.beginUndo(this.held, { permission, undo, steps: this.steps.failed(undo.reason) });
    return undo;
  }

  /** Brings back what ran before, or nothing, and writes the end down with whether that is confirmed. */
  private async takeBack(undo: Undo): Promise<void> {
    const deadline = notBefore(new Date(Date.parse(undo.since) + RESTORE_MS));
    const { previousRelease: digest } = this.deployment;
    const { previous } = this.specs;
    const { signal } = this.running;
    let back: RolloutOutcome = { state: 'running' };
    try {
      if (digest !== null && previous) back = await this.restore(digest, previous, deadline);
      else await this.insist(deadline, signal, () => this.tools.engine.remove(this.target(), SERVICES_ONLY));
    } catch (error) {
      signal.throwIfAborted();
      back = { state: 'failed', reason: this.messageOf(error) };
    }
    const after = afterwards(digest, back);
    await this.tools.ledger.finish(this.held, {
      permission: this.deployment.permission,
      ...{ steps: this.steps.failed(undo.reason), reason: `${undo.reason}\n${after}`, undo },
      running: digest !== null && previous ? { digest, spec: previous } : null,
    });
  }

  private restore(digest: string, spec: RunSpec, deadline: Date): Promise<RolloutOutcome> {
    const { engine } = this.tools;
    const { signal } = this.running;
    const rollout = this.rollout(digest, spec);
    return this.insist(deadline, signal, async () => {
      const outcome = await engine.rollOut(rollout, {
        ...{ deadline, signal, reaches: this.ingress.probe },
        progress: () => undefined,
      });
      if (outcome.state === 'running') await engine.removeOthers(rollout);
      return outcome;
    });
  }

  /** Does it, again and again while others are away, until the deadline. */
  private async insist<T>(deadline: Date, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof BerthError) || !PASSING.has(error.code)) throw error;
        if (Date.now() >= deadline.getTime()) throw error;
      }
      await delay(RETRY_MS, undefined, { signal });
    }
  }

  /** What to tell of an error. Throws it where nothing can be told: the next to hold the lease tries again. */
  private messageOf(error: unknown): string {
    const told = asBerthError(error);
    if (error instanceof LeaseLost || told.code === 'DATABASE_UNAVAILABLE') throw error;
    if (told.code === 'INTERNAL') this.tools.logger.error({ err: error }, 'deployment.unforeseen');
    return told.message;
  }

  private rollout(release: string, spec: RunSpec): Rollout {
    const { environmentId } = this.deployment;
    const secret = (name: string, version: number): Promise<Buffer> =>
      this.tools.secrets.read(environmentId, name, version);
    return { target: this.target(), deployment: this.deployment.id, release, spec, secret };
  }

  private target(): { project: string; environment: string } {
    return { project: this.deployment.project, environment: this.deployment.environment };
  }
}

/** Whether requests to a service have to be led to another port than before, or in another protocol. */
function isReachedElsewhere(previous: RunSpec, wanted: RunSpec): boolean {
  return Object.entries(wanted.services).some(([name, { http }]) => {
    const before = new Map(Object.entries(previous.services)).get(name)?.http;
    return http && before && (http.port !== before.port || http.protocol !== before.protocol);
  });
}

function hasInstances({ services }: RunSpec): boolean {
  return Object.values(services).some(({ replicas }) => replicas > 0);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Whoever takes over after a long time still gets to see how things are. */
function notBefore(deadline: Date): Date {
  return new Date(Math.max(deadline.getTime(), Date.now() + LEAST_MS));
}

const SERVICES_ONLY = { network: false, volumes: false };

function undoFor(status: Undo['status'], reason: string, code: string | null = null): Undo {
  return { status, reason, code, policies: [], since: new Date().toISOString() };
}

function afterwards(previous: string | null, back: RolloutOutcome): string {
  if (previous === null) {
    return back.state === 'running'
      ? 'Nothing ran before, so nothing runs now.'
      : `It could not be confirmed that nothing is left of it: ${back.reason}`;
  }
  return back.state === 'running'
    ? `The release before (${short(previous)}) serves.`
    : `It could not be confirmed that the release before (${short(previous)}) serves: ${back.reason}`;
}

function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
