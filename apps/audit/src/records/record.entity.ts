import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AuditRecord } from '@berth/contracts';

/** A record as it is stored; the database refuses to change or remove one. */
@Entity('records')
export class RecordEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  time!: Date;

  @Column('text')
  source!: AuditRecord['source'];

  @Column('text')
  action!: string;

  @Column('text')
  kind!: AuditRecord['kind'];

  @Column('text')
  outcome!: AuditRecord['outcome'];

  @Column('text', { nullable: true })
  code!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('text')
  actor!: string;

  @Column('uuid', { name: 'token_id', nullable: true })
  tokenId!: string | null;

  @Column('text', { nullable: true })
  team!: string | null;

  @Column('text', { nullable: true })
  project!: string | null;

  @Column('text', { nullable: true })
  environment!: string | null;

  @Column('text', { name: 'resource_type' })
  resourceType!: AuditRecord['resource']['type'];

  @Column('text', { name: 'resource_id' })
  resourceId!: string;

  @Column('jsonb')
  policies!: AuditRecord['policies'];

  @Column('uuid', { array: true })
  decisions!: string[];

  @Column('text', { name: 'correlation_id' })
  correlationId!: string;

  @Column('jsonb')
  request!: AuditRecord['request'];

  /** How often it was read within a moment; null where once. */
  @Column('integer', { nullable: true })
  times!: number | null;
}
