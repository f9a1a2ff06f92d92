import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { Grant } from '@berth/actions';
import type { ResourceOperation } from '@berth/contracts';

/** A backup of a resource, or the restoring of one. */
@Entity('resource_operations')
export class ResourceOperationEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'environment_id' })
  environmentId!: string;

  @Column('text')
  team!: string;

  @Column('text')
  project!: string;

  @Column('text')
  environment!: string;

  @Column('text')
  resource!: string;

  @Column('text')
  kind!: ResourceOperation['kind'];

  /** The backup that is restored. */
  @Column('uuid', { nullable: true })
  backup!: string | null;

  @Column('text')
  status!: ResourceOperation['status'];

  @Column('text', { nullable: true })
  step!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  /** As text: JavaScript's numbers end before Postgres's. */
  @Column('bigint', { nullable: true })
  bytes!: string | null;

  @Column('text', { nullable: true })
  fingerprint!: string | null;

  @Column('jsonb')
  permission!: Grant;

  @Column('uuid', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}

export function toOperation(entity: ResourceOperationEntity): ResourceOperation {
  const { id, kind, project, environment, resource, backup, status, step, reason, fingerprint } = entity;
  return {
    ...{ id, kind, project, environment, resource, backup, status, step, reason, fingerprint },
    bytes: entity.bytes === null ? null : Number(entity.bytes),
    createdBy: entity.createdBy,
    createdAt: entity.createdAt.toISOString(),
    finishedAt: entity.finishedAt?.toISOString() ?? null,
  };
}
