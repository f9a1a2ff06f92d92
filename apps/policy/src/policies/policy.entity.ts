import type { Policy } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('policies')
export class PolicyEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  text!: string;

  @Column('text')
  message!: string;

  @Column('integer')
  version!: number;

  @Column('boolean')
  builtin!: boolean;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('text', { name: 'updated_by' })
  updatedBy!: string;
}

export function toPolicy(entity: PolicyEntity): Policy {
  const { id, text, message, version, builtin, updatedAt, updatedBy } = entity;
  return { id, text, message, version, builtin, updatedAt: updatedAt.toISOString(), updatedBy };
}
