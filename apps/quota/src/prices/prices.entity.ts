import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Prices } from '@berth/contracts';
import { wholeNumber } from '../whole-number.js';

const MICROS = 1e6;

/** Prices since a moment, until the next ones. None is ever changed. */
@Entity('prices')
export class PricesEntity {
  @PrimaryGeneratedColumn()
  version!: number;

  @Column('text')
  currency!: string;

  /** Millionths, of a core for an hour. */
  @Column('bigint', { name: 'cpu_micros', transformer: wholeNumber })
  cpuMicros!: number;

  /** Millionths, of a GiB for an hour. */
  @Column('bigint', { name: 'memory_micros', transformer: wholeNumber })
  memoryMicros!: number;

  @Column('text', { name: 'set_by' })
  setBy!: string;

  @Column('timestamptz', { name: 'set_at' })
  setAt!: Date;
}

export function toMicros(amount: number): number {
  return Math.round(amount * MICROS);
}

export function toPrices({ currency, cpuMicros, memoryMicros, setBy, setAt }: PricesEntity): Prices {
  return {
    ...{ currency, cpu: cpuMicros / MICROS, memory: memoryMicros / MICROS },
    ...{ setBy, setAt: setAt.toISOString() },
  };
}
