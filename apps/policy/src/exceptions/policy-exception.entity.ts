import type { PolicyException } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('policy_exceptions')
export class PolicyExceptionEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  policy!: string;

  @Column('text')
  scope!: string;

  @Column('text')
  owner!: string;

  @Column('text')
  reason!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  @Column('text', { name: 'ended_by', nullable: true })
  endedBy!: string | null;
}

export function toPolicyException(entity: PolicyExceptionEntity, now = new Date()): PolicyException {
  const { createdAt, expiresAt, endedAt } = entity;
  return {
    ...entity,
    status: endedAt ? 'ended' : expiresAt <= now ? 'expired' : 'holds',
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}
