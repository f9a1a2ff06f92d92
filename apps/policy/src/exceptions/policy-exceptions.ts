import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, IsNull, LessThan, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  Id,
  invalidCursor,
  LONGEST_EXCEPTION_DAYS,
  type Page,
  policyExcepted,
  policyExceptionEnded,
  type PolicyException,
  type PolicyScope,
  type policyRpc,
  positionOf,
  toPage,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent, type EventDraft, Outbox } from '@berth/messaging';
import { newId } from '@berth/runtime';
import { UserEntity } from '../identity/user.entity.js';
import { refuseUnknownTeam } from '../policies/known-scopes.js';
import { LivePolicies } from '../policies/live-policies.js';
import { policyRef } from '../policies/policies.js';
import { BERTH, PolicyStore } from '../policies/policy-store.js';
import { PolicyExceptionEntity, toPolicyException } from './policy-exception.entity.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

const DAY_MS = 86_400_000;

/** Has policies deny nothing in a scope for a while. What they would have denied is told all the same, in each decision. */
@Injectable()
export class PolicyExceptions {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly store: PolicyStore,
    private readonly live: LivePolicies,
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** The newest first. */
  list({ limit, cursor, policy, all }: Input<'listPolicyExceptions'>): Promise<Page<PolicyException>> {
    return this.pipeline.read({ action: actions.policyList, resource: PLATFORM, context: {} }, async () => {
      const rows = await this.dataSource.getRepository(PolicyExceptionEntity).find({
        where: {
          ...(policy !== undefined && { policy }),
          ...(!all && { endedAt: IsNull(), expiresAt: MoreThan(new Date()) }),
          ...(cursor !== undefined && { id: LessThan(idOf(cursor)) }),
        },
        order: { id: 'DESC' },
        take: limit + 1,
      });
      return toPage(
        rows,
        limit,
        (row) => toPolicyException(row),
        ({ id }) => ({ id }),
      );
    });
  }

  /** In force in this instance when it answers, and in every other before its next decision. */
  async add({ id: policy, ...wanted }: Input<'exceptPolicy'>): Promise<PolicyException> {
    const { scope, owner, reason } = wanted;
    const expiresAt = new Date(wanted.expiresAt);
    const seconds = Math.ceil((expiresAt.getTime() - Date.now()) / 1_000);
    const context = { id: policy, scope, owner, reason, seconds };
    const intent = { action: actions.policyExcept, resource: policyRef(policy), context };
    const added = await this.pipeline.change(intent, async (transaction) => {
      refuseOdd(seconds);
      const { policies } = await this.store.readForChange(transaction);
      if (!policies.has(policy)) throw notFound(policyRef(policy));
      await refuseUnknown(transaction, owner);
      await refuseUnknownTeam(transaction, scope);
      const row = { id: newId(), policy, scope, owner, reason, expiresAt, createdBy: requireActor().user };
      const ending = { createdAt: new Date(), endedAt: null, endedBy: null };
      const stored = await transaction.getRepository(PolicyExceptionEntity).save({ ...row, ...ending });
      const revision = await this.store.raiseRevision(transaction);
      const result = toPolicyException(stored);
      return { result, outcome: {}, events: [draftEvent(policyExcepted, {}, { ...result, revision })] };
    });
    await this.live.refresh();
    return added;
  }

  /** Ends one before its time. */
  async end({ id, exception }: Input<'endPolicyException'>): Promise<PolicyException> {
    const context = { id, exception };
    const intent = { action: actions.policyUnexcept, resource: policyRef(id), context };
    const ended = await this.pipeline.change(intent, async (transaction) => {
      await this.store.readForChange(transaction);
      const rows = transaction.getRepository(PolicyExceptionEntity);
      const found = await rows.findOneBy({ id: exception, policy: id });
      if (!found || toPolicyException(found).status !== 'holds') {
        throw new BerthError('NOT_FOUND', `The policy "${id}" has no exception "${exception}" that holds.`);
      }
      const [{ result, event }] = await this.markEnded(transaction, [found], requireActor().user);
      return { result, outcome: {}, events: [event] };
    });
    await this.live.refresh();
    return ended;
  }

  /** Those of what was removed then; what has the name by now may have others. Nobody's action, like their expiry. */
  async endOfRemoved(scope: PolicyScope, at: Date): Promise<void> {
    const any = await this.dataSource.transaction(async (transaction) => {
      await this.store.readForChange(transaction);
      const rows = transaction.getRepository(PolicyExceptionEntity);
      const where = { scope, endedAt: IsNull(), expiresAt: MoreThan(new Date()), createdAt: LessThan(at) };
      const found = await rows.findBy(where);
      if (found.length === 0) return false;
      for (const { event } of await this.markEnded(transaction, found, BERTH))
        await this.outbox.event(transaction, event);
      return true;
    });
    if (any) await this.live.refresh();
  }

  private async markEnded(
    transaction: EntityManager,
    found: readonly PolicyExceptionEntity[],
    by: string,
  ): Promise<{ result: PolicyException; event: EventDraft }[]> {
    const revision = await this.store.raiseRevision(transaction);
    const rows = transaction.getRepository(PolicyExceptionEntity);
    const ended: { result: PolicyException; event: EventDraft }[] = [];
    for (const row of found) {
      const result = toPolicyException(await rows.save({ ...row, endedAt: new Date(), endedBy: by }));
      ended.push({ result, event: draftEvent(policyExceptionEnded, {}, { ...result, revision }) });
    }
    return ended;
  }
}

function idOf(cursor: string): string {
  const id = positionOf(cursor, 'id');
  if (!Id.safeParse(id).success) throw invalidCursor();
  return id;
}

function refuseOdd(seconds: number): void {
  const most = LONGEST_EXCEPTION_DAYS;
  if (seconds > 0 && seconds <= (most * DAY_MS) / 1_000) return;
  throw new BerthError('VALIDATION_FAILED', `An exception ends in the future, and within ${most} days.`, {
    fields: [{ path: 'expiresAt', message: `must be within ${most} days from now` }],
  });
}

async function refuseUnknown(transaction: EntityManager, owner: string): Promise<void> {
  if (!(await transaction.getRepository(UserEntity).existsBy({ name: owner }))) {
    throw notFound({ type: 'User', id: owner });
  }
}
