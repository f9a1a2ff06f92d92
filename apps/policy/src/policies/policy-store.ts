import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { CompiledPolicy } from '../cedar/policy-compiler.js';
import { PolicyEntity } from './policy.entity.js';

/** The stored policies at one revision. */
export interface StoredSet {
  revision: number;
  texts: Map<string, string>;
}

const READ_SET = `
  SELECT revision, (SELECT coalesce(json_object_agg(id, text), '{}'::json) FROM policies) AS texts
  FROM policy_revision`;

/** The policies as the database has them. */
@Injectable()
export class PolicyStore {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async revision(): Promise<number> {
    const [{ revision }]: { revision: number }[] = await this.dataSource.query(
      'SELECT revision FROM policy_revision',
    );
    return revision;
  }

  /** In one statement, so that texts and revision belong together. */
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

  /** Creates or replaces a policy, whose version counts up. */
  async put(
    transaction: EntityManager,
    policy: Pick<CompiledPolicy, 'id' | 'text' | 'message'>,
    { by, builtin }: { by: string; builtin: boolean },
  ): Promise<PolicyEntity> {
    const policies = transaction.getRepository(PolicyEntity);
    const before = await policies.findOneBy({ id: policy.id });
    return policies.save({
      id: policy.id,
      text: policy.text,
      message: policy.message,
      version: (before?.version ?? 0) + 1,
      builtin: before?.builtin ?? builtin,
      updatedAt: new Date(),
      updatedBy: by,
    });
  }

  /**
   * Adds those of the policies that were never planted in this installation: what an admin changed or removed stays so.
   * Any number of instances may do it at once.
   */
  async plant(policies: Iterable<Pick<CompiledPolicy, 'id' | 'text' | 'message'>>): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      await transaction.query('SELECT FROM policy_revision FOR UPDATE');
      const planted: { id: string }[] = await transaction.query('SELECT id FROM planted_policies');
      const known = new Set(planted.map(({ id }) => id));
      const missing = [...policies].filter(({ id }) => !known.has(id));
      if (missing.length === 0) return;
      for (const policy of missing) {
        await transaction.query('INSERT INTO planted_policies (id) VALUES ($1)', [policy.id]);
        await this.put(transaction, policy, { by: 'berth', builtin: true });
      }
      await this.raiseRevision(transaction);
    });
  }
}

async function readSet(manager: EntityManager): Promise<StoredSet> {
  const [{ revision, texts }]: { revision: number; texts: Record<string, string> }[] =
    await manager.query(READ_SET);
  return { revision, texts: new Map(Object.entries(texts)) };
}
