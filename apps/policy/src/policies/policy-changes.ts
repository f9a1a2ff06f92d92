import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, type Intent, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  OWN_DENIALS,
  policyApplied,
  type PolicyBinding,
  type PolicyChange,
  policyRemoved,
  type Policy,
  type policyRpc,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import {
  claimedEffect,
  type CompiledPolicy,
  invalidPolicy,
  PolicyCompiler,
} from '../cedar/policy-compiler.js';
import { UserEntity } from '../identity/user.entity.js';
import { bindPolicies, EVERYWHERE } from './bound-policies.js';
import { LivePolicies } from './live-policies.js';
import { refuseLockout } from './lockout.js';
import { refuseUnknownTeam } from './known-scopes.js';
import { policyRef } from './policies.js';
import { PolicyEntity, toPolicy } from './policy.entity.js';
import { placesOf } from './places.js';
import { PolicyStore, type StoredPolicy, type StoredSet } from './policy-store.js';
import { PolicyVersionEntity } from './policy-version.entity.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

/** What a policy is to be, and why. */
interface Wanted extends StoredPolicy {
  compiled: CompiledPolicy;
  change: PolicyChange;
}

// Enough to find one who is not locked out, and no more than a change can wait for.
const ADMINS_ASKED = 20;

/**
 * Changes policies. Each change is a version, in force in this instance when it answers and in every other before its next
 * decision; one that would lock all admins out is refused.
 */
@Injectable()
export class PolicyChanges {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly compiler: PolicyCompiler,
    private readonly store: PolicyStore,
    private readonly live: LivePolicies,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** Creates or replaces a policy. Whoever may not do this learns so before their text is given to any parser. */
  apply({ id, text, bindings, expectedVersion }: Input<'applyPolicy'>): Promise<Policy> {
    if ((OWN_DENIALS as readonly string[]).includes(id)) {
      throw invalidPolicy(id, [{ message: 'Denials of Berth itself have this name; take another one.' }]);
    }
    const effect = claimedEffect(id, text);
    const context = { id, effect, bindings: told(bindings) };
    const intent = { action: actions.policyApply, resource: policyRef(id), context };
    return this.replace(intent, expectedVersion, async (_transaction, before) => {
      const compiled = await this.compiler.compile(id, text);
      if (compiled.effect !== effect) throw invalidPolicy(id, [{ message: `It is no ${effect}.` }]);
      return { compiled, text, bindings: bindings ?? before?.bindings ?? EVERYWHERE, change: 'applied' };
    });
  }

  /** Says where a policy holds, and how hard. */
  bind({ id, bindings, expectedVersion }: Input<'bindPolicy'>): Promise<Policy> {
    const context = { id, bindings: told(bindings) };
    const intent = { action: actions.policyBind, resource: policyRef(id), context };
    return this.replace(intent, expectedVersion, async (_transaction, before) => {
      if (!before) throw notFound(policyRef(id));
      const { text } = before;
      return { compiled: await this.compiler.compile(id, text), text, bindings, change: 'bound' };
    });
  }

  /** Brings back text and bindings of an earlier version, also of a policy that was removed. */
  async rollBack({ id, version, expectedVersion }: Input<'rollBackPolicy'>): Promise<Policy> {
    const wanted = version ?? (await this.versionBefore(id));
    const found = await this.dataSource
      .getRepository(PolicyVersionEntity)
      .findOneBy({ policy: id, version: wanted });
    const context = { id, version: wanted, bindings: told(found?.bindings) };
    const intent = { action: actions.policyRollback, resource: policyRef(id), context };
    return this.replace(intent, expectedVersion, async () => {
      if (!found) throw new BerthError('NOT_FOUND', `The policy "${id}" has no version ${wanted}.`);
      const { text, bindings } = found;
      if (text === null) {
        throw new BerthError(
          'CONFLICT',
          `Version ${wanted} of the policy "${id}" is its removal: remove it instead.`,
        );
      }
      return { compiled: await this.compiler.compile(id, text), text, bindings, change: 'rolled-back' };
    });
  }

  async remove({ id }: Input<'removePolicy'>): Promise<Record<string, never>> {
    const intent = { action: actions.policyRemove, resource: policyRef(id), context: { id } };
    await this.pipeline.change(intent, async (transaction) => {
      const set = await this.store.readForChange(transaction);
      if (!set.policies.delete(id)) throw notFound(policyRef(id));
      await this.refuseLockout(transaction, set, id);
      const revision = await this.store.remove(transaction, id, requireActor().user);
      return { result: {}, outcome: {}, events: [draftEvent(policyRemoved, {}, { id, revision })] };
    });
    await this.live.refresh();
    return {};
  }

  private async replace(
    intent: Intent,
    expectedVersion: number | undefined,
    want: (transaction: EntityManager, before: StoredPolicy | undefined) => Promise<Wanted>,
  ): Promise<Policy> {
    const { id } = intent.resource;
    const policy = await this.pipeline.change(intent, async (transaction) => {
      const set = await this.store.readForChange(transaction);
      await refuseOtherVersion(transaction, id, expectedVersion);
      const { compiled, change, ...wanted } = await want(transaction, set.policies.get(id));
      for (const { scope } of wanted.bindings) await refuseUnknownTeam(transaction, scope);
      set.policies.set(id, wanted);
      await this.refuseLockout(transaction, set, id);
      const content = { ...compiled, ...wanted };
      const by = requireActor().user;
      const { policy: stored, revision } = await this.store.put(transaction, content, { change, by });
      const { version, bindings } = stored;
      const events = [draftEvent(policyApplied, {}, { id, version, revision, change, bindings })];
      return { result: toPolicy(stored), outcome: {}, events };
    });
    await this.live.refresh();
    return policy;
  }

  /** The version that was in force before the one that is; of a removed policy, its last one. */
  private async versionBefore(id: string): Promise<number> {
    const [, before] = await this.dataSource.getRepository(PolicyVersionEntity).find({
      where: { policy: id },
      order: { version: 'DESC' },
      take: 2,
    });
    // There is no version 0: it will not be found.
    return before?.version ?? 0;
  }

  private async refuseLockout(transaction: EntityManager, set: StoredSet, id: string): Promise<void> {
    const admins = await transaction
      .getRepository(UserEntity)
      .find({ where: { admin: true }, order: { createdAt: 'ASC' }, take: ADMINS_ASKED });
    const names = admins.map(({ name }) => name);
    const { enforced } = bindPolicies(await placesOf(set, this.compiler));
    refuseLockout(enforced, names, id);
  }
}

function told(bindings: readonly PolicyBinding[] = []): string[] {
  return bindings.map(({ scope, mode }) => `${scope}=${mode}`);
}

async function refuseOtherVersion(
  transaction: EntityManager,
  id: string,
  expected: number | undefined,
): Promise<void> {
  if (expected === undefined) return;
  const version = (await transaction.getRepository(PolicyEntity).findOneBy({ id }))?.version ?? 0;
  if (version === expected) return;
  const is = version === 0 ? 'is not there' : `has version ${version}`;
  throw new BerthError(
    'CONFLICT',
    `The policy "${id}" ${is}, not version ${expected}: someone was faster. Look at it, and try again.`,
    { version },
  );
}
