import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Hook, PolicyAnswer, ResourceRef } from '@berth/contracts';
import { DecisionLog } from '../decisions/decision-log.js';

export interface PastDecision {
  id: string;
  time: Date;
  action: string;
  hook: Hook;
  principal: string;
  resource: ResourceRef;
  context: Record<string, unknown>;
  allowed: boolean;
  policies: PolicyAnswer[];
  revision: number;
}

/** What one brings is read at once, and live decisions wait for that. */
const PAGE = 500;
const KEPT_WITHIN_MS = 3_000;
const POLL_MS = 100;
const COLUMNS = 'id, time, action, hook, principal, resource, context, allowed, policies, revision';

/** When an id was made (RFC 9562, section 5.7), in milliseconds since 1970. */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}

/** Decisions as they were kept. */
@Injectable()
export class PastDecisions {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly log: DecisionLog,
  ) {}

  /** One that another instance took a moment ago may not be kept yet: that is waited for. */
  async find(id: string): Promise<PastDecision | null> {
    await this.log.flush();
    for (;;) {
      const rows: PastDecision[] = await this.dataSource.query(
        `SELECT ${COLUMNS} FROM decisions WHERE id = $1`,
        [id],
      );
      if (rows.length > 0 || Math.abs(Date.now() - timeOf(id)) > KEPT_WITHIN_MS) return rows[0] ?? null;
      await delay(POLL_MS);
    }
  }

  /** The newest first, in pages; the last one may hold one more than `limit`, to tell that there are others. */
  async *since(moment: Date, limit: number): AsyncGenerator<PastDecision[]> {
    await this.log.flush();
    let left = limit + 1;
    // The ids sort by time (RFC 9562, section 5.7), and this one after all others.
    let before = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    while (left > 0) {
      const rows: PastDecision[] = await this.dataSource.query(
        `SELECT ${COLUMNS} FROM decisions WHERE id < $1 AND time >= $2 ORDER BY id DESC LIMIT $3`,
        [before, moment, Math.min(left, PAGE)],
      );
      const last = rows.at(-1);
      if (!last) return;
      yield rows;
      left -= rows.length;
      before = last.id;
    }
  }
}
