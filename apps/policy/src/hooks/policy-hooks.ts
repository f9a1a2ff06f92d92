import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  catalog,
  hookRemoved,
  hookSet,
  type Page,
  type PolicyHook,
  type policyRpc,
  positionOf,
  type RegisteredHook,
  toPage,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { refuseUnknownTeam } from '../policies/known-scopes.js';
import { LivePolicies } from '../policies/live-policies.js';
import { policyRef } from '../policies/policies.js';
import { PolicyStore } from '../policies/policy-store.js';
import { HookSecrets } from './hook-secrets.js';
import { PolicyHookEntity, toPolicyHook } from './policy-hook.entity.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** Registers integrators' own code. A change holds in every instance before its next decision, as one of policies does. */
@Injectable()
export class PolicyHooks {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly store: PolicyStore,
    private readonly live: LivePolicies,
    private readonly secrets: HookSecrets,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  list({ limit, cursor }: Input<'listHooks'>): Promise<Page<PolicyHook>> {
    return this.pipeline.read({ action: actions.hookList, resource: PLATFORM, context: {} }, async () => {
      const rows = await this.dataSource.getRepository(PolicyHookEntity).find({
        where: { name: MoreThan(positionOf(cursor, 'name')) },
        order: { name: 'ASC' },
        take: limit + 1,
      });
      return toPage(rows, limit, toPolicyHook, ({ name }) => ({ name }));
    });
  }

  async set({ name, url, rotate, ...wanted }: Input<'setHook'>): Promise<RegisteredHook> {
    const { on, scope, onFailure } = wanted;
    const context = { name, on, scope, onFailure, over: url === undefined ? 'nats' : 'http' };
    const intent = { action: actions.hookSet, resource: policyRef(name), context };
    const registered = await this.pipeline.change(intent, async (transaction) => {
      refuseUnknownHooks(on);
      await refuseUnknownTeam(transaction, scope);
      await this.store.readForChange(transaction);
      const hooks = transaction.getRepository(PolicyHookEntity);
      const before = await hooks.findOneBy({ name });
      const kept = rotate ? null : (before?.secretId ?? null);
      const secretId = kept ?? randomUUID();
      const secret = secretId === kept ? null : this.secrets.secretOf(name, secretId);
      const by = { updatedAt: new Date(), updatedBy: requireActor().user };
      const hook = toPolicyHook(await hooks.save({ name, url: url ?? null, ...wanted, secretId, ...by }));
      await this.store.raiseRevision(transaction);
      return { result: { ...hook, secret }, outcome: {}, events: [draftEvent(hookSet, {}, hook)] };
    });
    await this.live.refresh();
    return registered;
  }

  async remove({ name }: Input<'removeHook'>): Promise<Record<string, never>> {
    const intent = { action: actions.hookRemove, resource: policyRef(name), context: { name } };
    await this.pipeline.change(intent, async (transaction) => {
      await this.store.readForChange(transaction);
      const { affected } = await transaction.getRepository(PolicyHookEntity).delete({ name });
      if (!affected) throw new BerthError('NOT_FOUND', `There is no hook "${name}".`);
      await this.store.raiseRevision(transaction);
      return { result: {}, outcome: {}, events: [draftEvent(hookRemoved, {}, { name })] };
    });
    await this.live.refresh();
    return {};
  }
}

function refuseUnknownHooks(on: readonly string[]): void {
  const known = new Set(
    [...catalog.values()]
      .filter(({ name }) => !name.startsWith('policy.') && !name.startsWith('hook.'))
      .flatMap(({ name, hooks }) => [name, ...hooks.map((hook) => `${name}.${hook}`)]),
  );
  const unknown = on.filter((one) => !known.has(one));
  if (unknown.length === 0) return;
  throw new BerthError(
    'VALIDATION_FAILED',
    `There is no hook ${unknown.join(', ')}; what is done to policies and hooks themselves has none of these.`,
    { fields: [{ path: 'on', message: `unknown: ${unknown.join(', ')}` }] },
  );
}
