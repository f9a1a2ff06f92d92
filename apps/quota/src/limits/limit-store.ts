import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Quota, QuotaScope } from '@berth/contracts';
import { LimitEntity } from './limit.entity.js';
import { toQuota, type Limits, type QuotaRow } from './quota-shape.js';
import type { QuotaKey } from './quota-subject.js';

/** Whose limits a list may show; null for all. */
export interface Viewer {
  user: string;
  teams: string[];
}

const COLUMNS = `
  k.scope, k.name, l.cpu_millis AS cpu_limit, l.memory_bytes AS memory_limit, l.instances AS instances_limit,
  l.storage_bytes AS storage_limit,
  u.cpu_millis AS cpu_used, u.memory_bytes AS memory_used, u.instances AS instances_used,
  c.currency, c.micros AS cost_micros`;

const COST = 'LEFT JOIN LATERAL hourly_cost(u.cpu_millis, u.memory_bytes) c ON true';

/** Limits, each told with what is used of it now. */
@Injectable()
export class LimitStore {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Replaces all limits of a scope; with none left, nothing of it is kept. */
  async replace(transaction: EntityManager, { scope, name, team }: QuotaKey, limits: Limits): Promise<void> {
    if (Object.values(limits).every((limit) => limit === null)) {
      await transaction.delete(LimitEntity, { scope, name });
      return;
    }
    const owner = scope === 'teams' ? name : (team ?? null);
    await transaction.upsert(
      LimitEntity,
      { scope, name, team: owner, ...limits, updatedAt: new Date() },
      { conflictPaths: ['scope', 'name'] },
    );
  }

  /** What a scope may use and uses; it need not have a limit. */
  async get(
    { scope, name }: Pick<QuotaKey, 'scope' | 'name'>,
    transaction: EntityManager = this.dataSource.manager,
  ): Promise<Quota> {
    const [row]: QuotaRow[] = await transaction.query(
      `SELECT ${COLUMNS}
       FROM (VALUES ($1::text, $2::text)) k (scope, name)
       LEFT JOIN limits l ON l.scope = k.scope AND l.name = k.name
       CROSS JOIN LATERAL ledger_usage(k.scope, k.name) u
       ${COST}`,
      [scope, name],
    );
    return toQuota(row);
  }

  /** Bytes that the images of a team may take; null for any number. */
  async storageLimit(team: string): Promise<number | null> {
    const found = await this.dataSource.manager.findOneBy(LimitEntity, { scope: 'teams', name: team });
    return found?.storageBytes ?? null;
  }

  /** Scopes that have a limit, by scope and name, after a position. */
  async list(
    viewer: Viewer | null,
    after: { scope: QuotaScope | ''; name: string },
    most: number,
  ): Promise<Quota[]> {
    const rows: QuotaRow[] = await this.dataSource.query(
      `SELECT ${COLUMNS}
       FROM (
         SELECT * FROM limits
         WHERE (scope, name) > ($1, $2)
           AND ($3 OR team = ANY ($4::text[]) OR (scope = 'users' AND name = $5))
         ORDER BY scope, name LIMIT $6
       ) l
       CROSS JOIN LATERAL (SELECT l.scope, l.name) k
       CROSS JOIN LATERAL ledger_usage(l.scope, l.name) u
       ${COST}
       ORDER BY l.scope, l.name`,
      [after.scope, after.name, viewer === null, viewer?.teams ?? [], viewer?.user ?? '', most],
    );
    return rows.map(toQuota);
  }
}
