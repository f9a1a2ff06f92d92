import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { PolicyBinding, PolicyChange, PolicyScope } from '@berth/contracts';
import type { CompiledPolicy } from '../cedar/policy-compiler.js';
import type { LiveHook } from '../hooks/live-hook.js';
import { EVERYWHERE } from './bound-policies.js';
import { PolicyEntity } from './policy.entity.js';
import { PolicyVersionEntity } from './policy-version.entity.js';

/** Who changes what nobody asked to have changed. */
export const BERTH = 'berth';

export interface StoredPolicy {
  text: string;
  bindings: readonly PolicyBinding[];
}

/** Where a policy denies nothing until then. */
export interface StoredException {
  id: string;
  policy: string;
  scope: PolicyScope;
  expiresAt: Date;
}

/** The stored policies at one revision. */
export interface StoredSet {
  revision: number;
  policies: Map<string, StoredPolicy>;
  /** Those that hold at the moment of reading, by this process's clock. */
  exceptions: StoredException[];
  hooks: LiveHook[];
}

/** What is to be stored of a policy. */
export type PolicyContent = Pick<CompiledPolicy, 'id' | 'text' | 'message' | 'owner'> & {
  bindings: readonly PolicyBinding[];
};

// By the clock of whoever decides by it: the database's may go before or behind.
const READ_SET = `
  SELECT revision,
    (SELECT coalesce(json_object_agg(id, json_build_object('text', text, 'bindings', bindings)), '{}'::json) FROM policies) AS policies,
    (SELECT coalesce(json_agg(json_build_object('id', id, 'policy', policy, 'scope', scope, 'expiresAt', expires_at)), '[]'::json)
     FROM policy_exceptions WHERE ended_at IS NULL AND expires_at > $1) AS exceptions,
    (SELECT coalesce(json_agg(json_build_object('name', name, 'url', url, 'on', on_hooks, 'scope', scope, 'timeoutMs', timeout_ms,
       'onFailure', on_failure, 'secretId', secret_id)), '[]'::json) FROM policy_hooks) AS hooks
  FROM policy_revision`;

/** The policies as the database has them, now and before. */
@Injectable()
export class PolicyStore {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async revision(): Promise<number> {
    const [{ revision }]: { revision: number }[] = await this.dataSource.query(
      'SELECT revision FROM policy_revision',
    );
    return revision;
  }

  /** In one statement, so that policies and revision belong together. */
  read(): Promise<StoredSet> {
    return readSet(this.dataSource.manager);
  }

  /** The set, held still until the transaction ends: changes of policies happen one after the other. */
  async readForChange(transaction: EntityManager): Promise<StoredSet> {
    await transaction.query('SELECT FROM policy_revision FOR UPDATE');
    return readSet(transaction);
  }

  /** Raises the revision, and with it makes every instance take the new set. Returns it. */
  async raiseRevision(transaction: EntityManager): Promise<number> {
    const [[{ revision }]]: [{ revision: number }[], number] = await transaction.query(
      'UPDATE policy_revision SET revision = revision + 1 RETURNING revision',
    );
    return revision;
  }

  /** Creates or replaces a policy, in a transaction that holds the set still. Every instance takes the new set before its next decision. */
  async put(
    transaction: EntityManager,
    content: PolicyContent,
    made: { change: PolicyChange; by: string },
  ): Promise<{ policy: PolicyEntity; revision: number }> {
    const revision = await this.raiseRevision(transaction);
    const policy = await this.store(transaction, content, { ...made, revision, builtin: false });
    return { policy, revision };
  }

  /** Removes a policy; its versions stay. Answers the new revision. */
  async remove(transaction: EntityManager, id: string, by: string): Promise<number> {
    await transaction.getRepository(PolicyEntity).delete({ id });
    const revision = await this.raiseRevision(transaction);
    await addVersion(transaction, id, { change: 'removed', text: null, bindings: [], by, revision });
    return revision;
  }

  /**
   * Adds those of the policies that were never planted in this installation: what an admin changed or removed stays so.
   * Any number of instances may do it at once.
   */
  async plant(policies: Iterable<Omit<PolicyContent, 'bindings'>>): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      await transaction.query('SELECT FROM policy_revision FOR UPDATE');
      const planted: { id: string }[] = await transaction.query('SELECT id FROM planted_policies');
      const known = new Set(planted.map(({ id }) => id));
      const missing = [...policies].filter(({ id }) => !known.has(id));
      if (missing.length === 0) return;
      const revision = await this.raiseRevision(transaction);
      for (const policy of missing) {
        await transaction.query('INSERT INTO planted_policies (id) VALUES ($1)', [policy.id]);
        const content = { ...policy, bindings: EVERYWHERE };
        await this.store(transaction, content, { change: 'applied', by: BERTH, revision, builtin: true });
      }
    });
  }

  private async store(
    transaction: EntityManager,
    { bindings, ...content }: PolicyContent,
    made: { change: PolicyChange; by: string; revision: number; builtin: boolean },
  ): Promise<PolicyEntity> {
    const policies = transaction.getRepository(PolicyEntity);
    const before = await policies.findOneBy({ id: content.id });
    const { change, by, revision } = made;
    const stored = { text: content.text, bindings: [...bindings] };
    const version = await addVersion(transaction, content.id, { change, by, revision, ...stored });
    return policies.save({
      ...{ id: content.id, message: content.message, owner: content.owner, ...stored },
      ...{ version, builtin: before?.builtin ?? made.builtin, updatedAt: new Date(), updatedBy: by },
    });
  }
}

/** Returns its number. */
async function addVersion(
  transaction: EntityManager,
  policy: string,
  made: Omit<PolicyVersionEntity, 'policy' | 'version' | 'at'>,
): Promise<number> {
  const versions = transaction.getRepository(PolicyVersionEntity);
  const version = ((await versions.maximum('version', { policy })) ?? 0) + 1;
  await versions.insert({ ...made, policy, version });
  return version;
}

interface SetRow {
  revision: number;
  policies: Record<string, StoredPolicy>;
  exceptions: (Omit<StoredException, 'expiresAt'> & { expiresAt: string })[];
  hooks: LiveHook[];
}

async function readSet(manager: EntityManager): Promise<StoredSet> {
  const [{ revision, policies, exceptions, hooks }]: SetRow[] = await manager.query(READ_SET, [new Date()]);
  return {
    revision,
    policies: new Map(Object.entries(policies)),
    exceptions: exceptions.map((one) => ({ ...one, expiresAt: new Date(one.expiresAt) })),
    hooks,
  };
}
