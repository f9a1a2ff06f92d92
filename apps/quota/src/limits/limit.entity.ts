import { Column, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import type { QuotaScope } from '@berth/contracts';
import { wholeNumber } from '../whole-number.js';

/** What a scope may use at most; null where it has no limit. */
@Entity('limits')
export class LimitEntity {
  @PrimaryColumn('text')
  scope!: QuotaScope;

  /** Of the team, user or project; `project.env` for an environment. */
  @PrimaryColumn('text')
  name!: string;

  /** The team whose it is; null for a user's. */
  @Column('text', { nullable: true })
  team!: string | null;

  @Column('bigint', { name: 'cpu_millis', nullable: true, transformer: wholeNumber })
  cpuMillis!: number | null;

  @Column('bigint', { name: 'memory_bytes', nullable: true, transformer: wholeNumber })
  memoryBytes!: number | null;

  @Column('bigint', { nullable: true, transformer: wholeNumber })
  instances!: number | null;

  /** Of a team only. */
  @Column('bigint', { name: 'storage_bytes', nullable: true, transformer: wholeNumber })
  storageBytes!: number | null;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
