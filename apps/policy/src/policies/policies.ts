import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  policyApplied,
  policyRemoved,
  type Page,
  type Policy,
  type policyRpc,
  type ResourceRef,
  positionOf,
  toPage,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { claimedEffect, evaluable, invalidPolicy, PolicyCompiler } from '../cedar/policy-compiler.js';
import { OWN_DENIALS } from '../decisions/verdict.js';
import { UserEntity } from '../identity/user.entity.js';
import { PLATFORM } from '../platform.js';
import { LivePolicies } from './live-policies.js';
import { refuseLockout } from './lockout.js';
import { PolicyEntity, toPolicy } from './policy.entity.js';
import { PolicyStore } from './policy-store.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

const policy = (id: string): ResourceRef => ({ type: 'Policy', id });

// Enough to find one who is not locked out, and no more than a change can wait for.
const ADMINS_ASKED = 20;

@Injectable()
export class PoliciesService {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly compiler: PolicyCompiler,
    private readonly store: PolicyStore,
    private readonly live: LivePolicies,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  list({ limit, cursor }: Input<'listPolicies'>): Promise<Page<Policy>> {
    return this.pipeline.read({ action: actions.policyList, resource: PLATFORM, context: {} }, async () => {
      const rows = await this.dataSource.getRepository(PolicyEntity).find({
        where: { id: MoreThan(positionOf(cursor, 'id')) },
        order: { id: 'ASC' },
        take: limit + 1,
      });
      return toPage(rows, limit, toPolicy, ({ id }) => ({ id }));
    });
  }

  get({ id }: Input<'getPolicy'>): Promise<Policy> {
    return this.pipeline.read({ action: actions.policyRead, resource: policy(id), context: {} }, async () => {
      const found = await this.dataSource.getRepository(PolicyEntity).findOneBy({ id });
      if (!found) throw notFound(policy(id));
      return toPolicy(found);
    });
  }

  /**
   * Creates or replaces a policy; in force in this instance when it answers, and in every other before its next decision.
   * Whoever may not do this learns so before their text is given to any parser.
   */
  async apply({ id, text }: Input<'applyPolicy'>): Promise<Policy> {
    if ((OWN_DENIALS as readonly string[]).includes(id)) {
      throw invalidPolicy(id, [{ message: 'Denials of Berth itself have this name; take another one.' }]);
    }
    const effect = claimedEffect(id, text);
    const intent = { action: actions.policyApply, resource: policy(id), context: { id, effect } };
    const applied = await this.pipeline.change(intent, async (transaction) => {
      const compiled = await this.compiler.compile(id, text);
      if (compiled.effect !== effect) throw invalidPolicy(id, [{ message: `It is no ${effect}.` }]);
      const { texts } = await this.store.readForChange(transaction);
      await this.refuseLockout(transaction, texts.set(id, text), id);
      const by = requireActor().user;
      const stored = await this.store.put(transaction, compiled, { by, builtin: false });
      const revision = await this.store.raiseRevision(transaction);
      const data = { id, version: stored.version, revision };
      return { result: toPolicy(stored), outcome: {}, events: [draftEvent(policyApplied, {}, data)] };
    });
    await this.live.refresh();
    return applied;
  }

  async remove({ id }: Input<'removePolicy'>): Promise<Record<string, never>> {
    const intent = { action: actions.policyRemove, resource: policy(id), context: { id } };
    await this.pipeline.change(intent, async (transaction) => {
      const { texts } = await this.store.readForChange(transaction);
      if (!texts.delete(id)) throw notFound(policy(id));
      await this.refuseLockout(transaction, texts, id);
      await transaction.getRepository(PolicyEntity).delete({ id });
      const revision = await this.store.raiseRevision(transaction);
      return { result: {}, outcome: {}, events: [draftEvent(policyRemoved, {}, { id, revision })] };
    });
    await this.live.refresh();
    return {};
  }

  private async refuseLockout(
    transaction: EntityManager,
    texts: ReadonlyMap<string, string>,
    id: string,
  ): Promise<void> {
    const admins = await transaction
      .getRepository(UserEntity)
      .find({ where: { admin: true }, order: { createdAt: 'ASC' }, take: ADMINS_ASKED });
    const { policies } = await this.compiler.compileSet(texts);
    const names = admins.map(({ name }) => name);
    await refuseLockout(this.compiler, evaluable(policies), names, id);
  }
}
