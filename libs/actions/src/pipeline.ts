import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { z } from 'zod';
import {
  BerthError,
  formatBytes,
  type ActionDefinition,
  type AuditRecord,
  type BrokenLimit,
  type Decision,
  type ErrorCode,
  type Hook,
  type PolicyAnswer,
  type Principal,
  type RecordOutcome,
  type Reservation,
  type ResourceRef,
  type ServiceName,
} from '@berth/contracts';
import { Outbox, type EventDraft } from '@berth/messaging';
import { asBerthError, correlationId, currentContext, SERVICE_NAME, newId } from '@berth/runtime';
import { Gates } from './ports.js';
import { ReadRecorder } from './recorder.js';

const DENIALS: ReadonlySet<ErrorCode> = new Set(['POLICY_DENIED', 'QUOTA_EXCEEDED']);

type Facts<T extends z.ZodObject> = z.input<T>;

/** An action about to be done: which, to what, with which facts, by whom (the actor of the request unless given). */
export interface Intent<C extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  action: ActionDefinition<C, O>;
  resource: ResourceRef;
  context: Facts<C>;
  actor?: Principal;
}

/** Policy's leave to do it. Kept with a long action, so that its end can be judged and recorded like its beginning. */
export interface Grant {
  action: string;
  resource: ResourceRef;
  actor: { user: string; tokenId: string | null };
  request: Record<string, unknown>;
  decisions: string[];
  policies: PolicyAnswer[];
  correlationId: string;
  /** Whether the same may be done again for some seconds without asking, while policy stands where it stood. */
  reusable?: boolean;
}

export interface Done<T, O extends z.ZodObject> {
  result: T;
  /** What `after` judges. */
  outcome: Facts<O>;
  events?: EventDraft[];
}

/** Whether the action left something to be told: how it ended, with the code and the reason when not well. */
export interface Ending {
  outcome: RecordOutcome;
  code?: string | null;
  reason?: string | null;
}

/**
 * The one way in for every action:
 * before hook -> reserve -> do it -> after hook -> commit -> record and event, in the transaction of the change.
 * `change` and `read` run it whole; an action that outlives its request composes it from `authorize`, `reserve`,
 * `judge` and `record`.
 */
@Injectable()
export class ActionPipeline {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    private readonly reads: ReadRecorder,
    @Inject(SERVICE_NAME) private readonly service: ServiceName,
    private readonly gates: Gates,
  ) {}

  /** Does a change in one transaction with its record and events; whatever fails or is denied leaves nothing. */
  async change<C extends z.ZodObject, O extends z.ZodObject, T>(
    intent: Intent<C, O>,
    perform: (transaction: EntityManager) => Promise<Done<T, O>>,
  ): Promise<T> {
    const grant = await this.authorize(intent);
    try {
      return await this.dataSource.transaction(async (transaction) => {
        const done = await perform(transaction);
        await this.judgeOrThrow(intent.action, grant, done.outcome);
        await this.record(transaction, grant, { outcome: 'succeeded' });
        for (const event of done.events ?? []) await this.outbox.event(transaction, event);
        return done.result;
      });
    } catch (thrown) {
      // A denied outcome was recorded by nobody yet: its transaction is gone.
      await this.recordRefusal(grant, thrown);
      throw thrown;
    }
  }

  /** Reveals something: `before`, then the reading, then a record that may follow in a batch. */
  async read<C extends z.ZodObject, O extends z.ZodObject, T>(
    intent: Intent<C, O>,
    perform: () => Promise<T>,
  ): Promise<T> {
    if (intent.action.hooks.includes('after')) throw new Error(`${intent.action.name} is judged after, too`);
    const grant = await this.authorize(intent);
    this.requireRoom();
    const result = await perform();
    this.recordRead(grant);
    return result;
  }

  /** A reading of what is known only once it is found: `after` judges it before any of it is shown. */
  async reveal<C extends z.ZodObject, O extends z.ZodObject, T>(
    intent: Intent<C, O>,
    perform: () => Promise<Omit<Done<T, O>, 'events'>>,
  ): Promise<T> {
    const grant = await this.authorize(intent);
    this.requireRoom();
    const { result, outcome } = await perform();
    await this.judgeFound(intent.action, grant, outcome);
    this.recordRead(grant);
    return result;
  }

  /** The `after` hook of a read. Records a denial, or that nobody answered, and throws it. */
  async judgeFound<C extends z.ZodObject, O extends z.ZodObject>(
    action: ActionDefinition<C, O>,
    grant: Grant,
    outcome: Facts<O>,
  ): Promise<Decision | null> {
    try {
      return await this.judgeOrThrow(action, grant, outcome);
    } catch (thrown) {
      await this.recordRefusal(grant, thrown);
      throw thrown;
    }
  }

  /** Before a read by a grant of this request, or of one some seconds ago that is known to hold yet. Throws. */
  requireRoom(): void {
    if (this.reads.hasRoom) return;
    throw new BerthError(
      'DATABASE_UNAVAILABLE',
      'No record of this could be kept, so nothing was shown. Try again.',
    );
  }

  /** After it. The record may follow in a batch. */
  recordRead(grant: Grant): void {
    this.reads.add(grant, () => this.compose(grant, 'read', { outcome: 'succeeded' }));
  }

  /** The `before` hook. Answers the grant, or records the denial and throws it. */
  async authorize<C extends z.ZodObject, O extends z.ZodObject>(intent: Intent<C, O>): Promise<Grant> {
    const { action, resource } = intent;
    const request = action.context.parse(intent.context) as Record<string, unknown>;
    const actor = intent.actor ?? requireActor();
    currentContext()?.performed.add(action.name);
    const grant: Grant = {
      action: action.name,
      resource,
      actor: { user: actor.user, tokenId: actor.tokenId },
      request,
      decisions: [],
      policies: [],
      correlationId: correlationId(),
    };
    if (!action.hooks.includes('before')) return grant;
    const decision = await this.ask(action, 'before', grant, request).catch(async (thrown: unknown) => {
      const { code, message } = asBerthError(thrown);
      await this.recordAlone(grant, { outcome: 'failed', code, reason: message });
      throw thrown;
    });
    const { id, policies, reusable } = decision;
    const judged = { ...grant, decisions: [id], policies, reusable };
    if (decision.allowed) return judged;
    const error = deniedError(action, resource, decision);
    await this.recordAlone(judged, { outcome: 'denied', code: error.code, reason: reasonOf(decision) });
    throw error;
  }

  /** Takes the quota, or records the refusal and throws it. */
  async reserve(grant: Grant, reservation: Reservation): Promise<void> {
    const { reserved, limits } = await this.gates.quota.reserve(reservation);
    if (reserved) return;
    const error = overQuota(limits, 'scale something down');
    await this.recordRefusal(grant, error);
    throw error;
  }

  /** The record of an action that did not come to be, though policy allowed it: over quota, or failed. */
  async recordRefusal(grant: Grant, thrown: unknown): Promise<void> {
    const error = asBerthError(thrown);
    const outcome = DENIALS.has(error.code) ? 'denied' : 'failed';
    const told = { ...grant, policies: answersOf(error) ?? grant.policies };
    await this.recordAlone(told, { outcome, code: error.code, reason: error.message });
  }

  /** The `after` hook: policy's word on the outcome as it really is; null for an action without one. Notes the decision. */
  async judge<C extends z.ZodObject, O extends z.ZodObject>(
    action: ActionDefinition<C, O>,
    grant: Grant,
    outcome: Facts<O>,
  ): Promise<Decision | null> {
    if (!action.hooks.includes('after')) return null;
    const facts = action.outcome.parse(outcome) as Record<string, unknown>;
    const decision = await this.ask(action, 'after', grant, facts);
    grant.decisions.push(decision.id);
    return decision;
  }

  /** The `after` hook of a change: throws POLICY_DENIED, so that its transaction leaves nothing. */
  async judgeOrThrow<C extends z.ZodObject, O extends z.ZodObject>(
    action: ActionDefinition<C, O>,
    grant: Grant,
    outcome: Facts<O>,
  ): Promise<Decision | null> {
    const verdict = await this.judge(action, grant, outcome);
    if (verdict && !verdict.allowed) throw deniedError(action, grant.resource, verdict);
    return verdict;
  }

  /** Writes the record into the transaction of the change. */
  async record(transaction: EntityManager, grant: Grant, ending: Ending): Promise<void> {
    await this.outbox.records(transaction, [this.compose(grant, 'change', ending)]);
  }

  /** A record of what changed nothing: a denial, a failure. */
  async recordAlone(grant: Grant, ending: Ending): Promise<void> {
    await this.dataSource.transaction((transaction) => this.record(transaction, grant, ending));
  }

  private async ask(
    action: { name: string },
    hook: Hook,
    grant: Grant,
    context: Record<string, unknown>,
  ): Promise<Decision> {
    const decision = await this.gates.policy.decide({
      action: action.name,
      hook,
      principal: grant.actor,
      resource: grant.resource,
      context,
    });
    for (const { id, message, mode } of decision.advice) {
      if (mode === 'warn') currentContext()?.warnings.set(id, { id, message });
    }
    return decision;
  }

  private compose(grant: Grant, kind: AuditRecord['kind'], { outcome, code, reason }: Ending): AuditRecord {
    return {
      id: newId(),
      time: new Date().toISOString(),
      source: this.service,
      action: grant.action,
      kind,
      outcome,
      code: code ?? null,
      reason: reason ?? null,
      actor: grant.actor.user,
      tokenId: grant.actor.tokenId,
      team: grant.resource.team ?? null,
      project: grant.resource.project ?? null,
      environment: grant.resource.environment ?? null,
      resource: { type: grant.resource.type, id: grant.resource.id },
      policies: grant.policies,
      decisions: grant.decisions,
      correlationId: grant.correlationId,
      request: grant.request,
    };
  }
}

export function requireActor(): Principal {
  const actor = currentContext()?.actor;
  if (!actor) throw new BerthError('UNAUTHENTICATED', 'This needs a token: log in with "berth login".');
  return actor;
}

/** QUOTA_EXCEEDED, with all limits that stand against it, and what the caller may do about it. */
export function overQuota(limits: BrokenLimit[], advice: string): BerthError {
  const reason = `Over quota. ${limits.map(tellLimit).join('; ')}. Ask an admin for more, or ${advice}.`;
  return new BerthError('QUOTA_EXCEEDED', reason, { limits });
}

function tellLimit({ scope, name, dimension, limit, used, requested }: BrokenLimit): string {
  const inBytes = dimension === 'memory' || dimension === 'storage';
  const say = (amount: number): string => (inBytes ? formatBytes(amount) : String(amount));
  return `${scope}/${name}: the limit of ${dimension} is ${say(limit)}, ${say(used)} is used, ${say(requested)} more was asked for`;
}

function reasonOf(decision: Decision): string {
  return decision.policies.map(({ id, message }) => `${id}: ${message}`).join('; ');
}

function answersOf(error: BerthError): PolicyAnswer[] | null {
  return Array.isArray(error.extensions.policies) ? (error.extensions.policies as PolicyAnswer[]) : null;
}

/** `POLICY_DENIED` with what the policies say; `NOT_FOUND` to whoever may not even know that it exists. */
export function deniedError(action: { name: string }, resource: ResourceRef, decision: Decision): BerthError {
  if (!decision.visible) return notFound(resource);
  return new BerthError(
    'POLICY_DENIED',
    `Policy denies ${action.name} on ${resource.type} "${resource.id}". ${reasonOf(decision)}`,
    { policies: decision.policies, decision: decision.id },
  );
}

/** The same words for what is not there and for what the caller may not know of. */
export function notFound(resource: Pick<ResourceRef, 'type' | 'id'>): BerthError {
  return new BerthError(
    'NOT_FOUND',
    `There is no ${resource.type.toLowerCase()} "${resource.id}", or you may not see it.`,
  );
}
