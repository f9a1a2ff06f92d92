import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, LessThan, MoreThan } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound } from '@berth/actions';
import {
  actions,
  type FormattedPolicy,
  type Page,
  type Policy,
  type PolicyVersion,
  type policyRpc,
  type ResourceRef,
  invalidCursor,
  positionOf,
  toPage,
  PLATFORM,
} from '@berth/contracts';
import { TrialCompiler } from '../cedar/trial-compiler.js';
import { PolicyEntity, toPolicy } from './policy.entity.js';
import { PolicyVersionEntity, toPolicyVersion } from './policy-version.entity.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

export const policyRef = (id: string): ResourceRef => ({ type: 'Policy', id });

/** Shows policies, and what they were. */
@Injectable()
export class PoliciesService {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly trials: TrialCompiler,
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
    const resource = policyRef(id);
    return this.pipeline.read({ action: actions.policyRead, resource, context: {} }, async () => {
      const found = await this.dataSource.getRepository(PolicyEntity).findOneBy({ id });
      if (!found) throw notFound(resource);
      return toPolicy(found);
    });
  }

  /** The newest first. Those of a policy that was removed are there too. */
  versions({ id, limit, cursor }: Input<'listPolicyVersions'>): Promise<Page<PolicyVersion>> {
    const resource = policyRef(id);
    return this.pipeline.read({ action: actions.policyRead, resource, context: {} }, async () => {
      const before = cursor === undefined ? undefined : Number(positionOf(cursor, 'version'));
      if (before !== undefined && !Number.isSafeInteger(before)) throw invalidCursor();
      const rows = await this.dataSource.getRepository(PolicyVersionEntity).find({
        where: { policy: id, ...(before !== undefined && { version: LessThan(before) }) },
        order: { version: 'DESC' },
        take: limit + 1,
      });
      if (rows.length === 0 && before === undefined) throw notFound(resource);
      return toPage(rows, limit, toPolicyVersion, ({ version }) => ({ version: String(version) }));
    });
  }

  format({ text }: Input<'formatPolicy'>): Promise<FormattedPolicy> {
    const intent = { action: actions.policyFormat, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, async () => ({ text: await this.trials.format(text) }));
  }
}
