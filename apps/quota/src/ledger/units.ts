import { BerthError, type Amounts, type BrokenLimit, type Dimension } from '@berth/contracts';

/** Amounts as the ledger keeps them: whole numbers only, so that sums are exact. */
export interface LedgerAmounts {
  cpuMillis: number;
  memoryBytes: number;
  instances: number;
}

/** Thousandths of a core, rounded to the nearest. */
export function toMillis(cores: number): number {
  return Math.round(cores * 1_000);
}

export function toCores(millis: number): number {
  return millis / 1_000;
}

/** Throws VALIDATION_FAILED for more than a whole number can hold. */
export function toLedgerAmounts({ cpu, memory, instances }: Amounts): LedgerAmounts {
  const cpuMillis = toMillis(cpu);
  if (Number.isSafeInteger(cpuMillis)) return { cpuMillis, memoryBytes: memory, instances };
  throw new BerthError('VALIDATION_FAILED', `amounts.cpu: ${cpu} cores are more than can be counted`, {
    fields: [{ path: 'amounts.cpu', message: 'must be at most 9007199254740 cores' }],
  });
}

/** A limit as the ledger tells it, in the units that people are told: cpu in cores. */
export function toBrokenLimit(told: BrokenLimit): BrokenLimit {
  const { dimension, limit, used, requested } = told;
  return {
    ...told,
    limit: inUnit(dimension, limit),
    used: inUnit(dimension, used),
    requested: inUnit(dimension, requested),
  };
}

function inUnit(dimension: Dimension, amount: number): number {
  return dimension === 'cpu' ? toCores(amount) : amount;
}
