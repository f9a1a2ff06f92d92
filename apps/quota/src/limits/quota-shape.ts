import { z } from 'zod';
import {
  ByteSize,
  formatBytes,
  HOURS_A_MONTH,
  parseOrThrow,
  type Cost,
  type Quota,
  type SetQuota,
} from '@berth/contracts';
import { toCores, toMillis } from '../ledger/units.js';
import type { LimitEntity } from './limit.entity.js';

export type Limits = Pick<LimitEntity, 'cpuMillis' | 'memoryBytes' | 'instances' | 'storageBytes'>;

/** A limit with what is used of it, as the database tells it: numbers as text. */
export interface QuotaRow {
  scope: Quota['scope'];
  name: string;
  cpu_limit: string | null;
  memory_limit: string | null;
  instances_limit: string | null;
  storage_limit: string | null;
  cpu_used: string;
  memory_used: string;
  instances_used: string;
  /** Of an hour; null without prices. */
  currency: string | null;
  cost_micros: string | null;
}

const Sizes = z.object({ limits: z.object({ memory: ByteSize.optional(), storage: ByteSize.optional() }) });

/** Limits as people write them, in the ledger's units. Throws VALIDATION_FAILED for a size that is none. */
export function toLimits({ limits }: z.infer<typeof SetQuota>): Limits {
  const { memory, storage } = parseOrThrow(Sizes, { limits }, 'The quota').limits;
  return {
    cpuMillis: limits.cpu === undefined ? null : toMillis(limits.cpu),
    memoryBytes: memory ?? null,
    instances: limits.instances ?? null,
    storageBytes: storage ?? null,
  };
}

export function toQuota(row: QuotaRow): Quota {
  return {
    scope: row.scope,
    name: row.name,
    limits: {
      ...(row.cpu_limit === null ? {} : { cpu: toCores(Number(row.cpu_limit)) }),
      ...(row.memory_limit === null ? {} : { memory: formatBytes(Number(row.memory_limit)) }),
      ...(row.instances_limit === null ? {} : { instances: Number(row.instances_limit) }),
      ...(row.storage_limit === null ? {} : { storage: formatBytes(Number(row.storage_limit)) }),
    },
    used: {
      cpu: toCores(Number(row.cpu_used)),
      memory: formatBytes(Number(row.memory_used)),
      instances: Number(row.instances_used),
    },
    cost: toCost(row),
  };
}

function toCost({ currency, cost_micros: micros }: QuotaRow): Cost | null {
  if (currency === null || micros === null) return null;
  const perHour = Number(micros) / 1e6;
  return { currency, perHour, perMonth: Math.round(perHour * HOURS_A_MONTH * 100) / 100 };
}
