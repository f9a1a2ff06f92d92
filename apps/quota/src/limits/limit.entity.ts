import { Column, Entity, PrimaryColumn, UpdateDateColumn, type ValueTransformer } from 'typeorm';
import type { QuotaScope } from '@berth/contracts';

// pg gives 64-bit integers as text; ours were safe integers when they came in.
const whole: ValueTransformer = {
  to: (value: number | null) => value,
  from: (text: string | null) => (text === null ? null : Number(text)),
};

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

  @Column('bigint', { name: 'cpu_millis', nullable: true, transformer: whole })
  cpuMillis!: number | null;

  @Column('bigint', { name: 'memory_bytes', nullable: true, transformer: whole })
  memoryBytes!: number | null;

  @Column('bigint', { nullable: true, transformer: whole })
  instances!: number | null;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
