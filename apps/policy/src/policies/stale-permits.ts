import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { policyApplied, type PolicyScope } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { DataSource, In, LessThan } from 'typeorm';
import { claimedEffect } from '../cedar/policy-compiler.js';
import { LivePolicies } from './live-policies.js';
import { PolicyEntity } from './policy.entity.js';
import { BERTH, PolicyStore, type StoredSet } from './policy-store.js';

/**
 * What was permitted for a project or an environment ends with it: the next of its name may be another team's, which has
 * permitted nobody anything. What was forbidden stays, or whoever may remove it could shed its rules.
 */
@Injectable()
export class StalePermits {
  constructor(
    private readonly store: PolicyStore,
    private readonly live: LivePolicies,
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** `at`: when it was removed. What was bound since is meant for the next of its name. */
  async endOfRemoved(scope: PolicyScope, at: Date): Promise<void> {
    const any = await this.dataSource.transaction(async (transaction) => {
      const ids = permitsOf(await this.store.readForChange(transaction), scope);
      const where = { id: In(ids), updatedAt: LessThan(at) };
      const found = await transaction.getRepository(PolicyEntity).findBy(where);
      for (const policy of found) {
        const bindings = policy.bindings.filter((binding) => binding.scope !== scope);
        const made = { change: 'bound', by: BERTH } as const;
        const stored = await this.store.put(transaction, { ...policy, bindings }, made);
        const { revision, policy: now } = stored;
        const event = { id: policy.id, version: now.version, revision, change: made.change, bindings };
        await this.outbox.event(transaction, draftEvent(policyApplied, {}, event));
      }
      return found.length > 0;
    });
    if (any) await this.live.refresh();
  }
}

function permitsOf({ policies }: StoredSet, scope: PolicyScope): string[] {
  return [...policies].flatMap(([id, { text, bindings }]) =>
    bindings.some((binding) => binding.scope === scope) && claimedEffect(id, text) === 'permit' ? id : [],
  );
}
