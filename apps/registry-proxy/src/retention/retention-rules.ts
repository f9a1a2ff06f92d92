import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import type { VisibleTeams } from '@berth/actions';
import type { RetentionRule, SetScopedRetention } from '@berth/contracts';

interface RuleRow extends Omit<RetentionRule, 'olderThanSeconds' | 'setAt'> {
  olderThanSeconds: string | null;
  setAt: Date;
}

const COLUMNS = `scope, team, keep_last AS "keepLast", older_than_seconds AS "olderThanSeconds", tags, set_by AS "setBy", set_at AS "setAt"`;

/** The rules that teams have set. */
@Injectable()
export class RetentionRules {
  constructor(@InjectEntityManager() private readonly database: EntityManager) {}

  /** By scope, those after `after`. */
  async list(teams: VisibleTeams, after: string, limit: number): Promise<RetentionRule[]> {
    const rows = await this.database.query<RuleRow[]>(
      `SELECT ${COLUMNS} FROM retention_rules WHERE ($1::text[] IS NULL OR team = ANY ($1)) AND scope > $2
       ORDER BY scope LIMIT $3`,
      [teams, after, limit],
    );
    return rows.map(toRule);
  }

  async find(scope: string): Promise<RetentionRule | null> {
    const rows = await this.database.query<RuleRow[]>(
      `SELECT ${COLUMNS} FROM retention_rules WHERE scope = $1`,
      [scope],
    );
    return rows.map(toRule)[0] ?? null;
  }

  async put(
    { scope, keepLast, olderThanSeconds, tags }: SetScopedRetention,
    setBy: string,
    transaction: EntityManager,
  ): Promise<RetentionRule> {
    const [row] = await transaction.query<[RuleRow]>(
      `INSERT INTO retention_rules (scope, team, keep_last, older_than_seconds, tags, set_by) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (scope) DO UPDATE SET keep_last = excluded.keep_last, older_than_seconds = excluded.older_than_seconds,
         tags = excluded.tags, set_by = excluded.set_by, set_at = now()
       RETURNING ${COLUMNS}`,
      [scope, teamOf(scope), keepLast ?? null, olderThanSeconds ?? null, tags, setBy],
    );
    return toRule(row);
  }

  /** False where there is none. */
  async remove(scope: string, transaction: EntityManager): Promise<boolean> {
    const [, count] = await transaction.query<[unknown[], number]>(
      'DELETE FROM retention_rules WHERE scope = $1',
      [scope],
    );
    return count > 0;
  }

  /** Hosted repositories that a rule of this scope is about: one, or those of the team that have none of their own. */
  async repositoriesOf(scope: string): Promise<string[]> {
    const rows = await this.database.query<{ name: string }[]>(
      `SELECT name FROM repositories r
       WHERE team = $1 AND ($2 = $1 OR name = $2)
         AND ($2 <> $1 OR NOT EXISTS (SELECT FROM retention_rules WHERE scope = r.name))
       ORDER BY name`,
      [teamOf(scope), scope],
    );
    return rows.map(({ name }) => name);
  }
}

/** The team whose scope it is. */
export function teamOf(scope: string): string {
  return scope.split('/')[0];
}

function toRule({ olderThanSeconds, setAt, ...same }: RuleRow): RetentionRule {
  return {
    ...same,
    olderThanSeconds: olderThanSeconds === null ? null : Number(olderThanSeconds),
    setAt: setAt.toISOString(),
  };
}
