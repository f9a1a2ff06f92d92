import type { Policy, PolicyBinding } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('policies')
export class PolicyEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  text!: string;

  @Column('text')
  message!: string;

  @Column('text', { nullable: true })
  owner!: string | null;

  @Column('jsonb')
  bindings!: PolicyBinding[];

  @Column('integer')
  version!: number;

  @Column('boolean')
  builtin!: boolean;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('text', { name: 'updated_by' })
  updatedBy!: string;
}

export function toPolicy({ updatedAt, ...policy }: PolicyEntity): Policy {
  return { ...policy, updatedAt: updatedAt.toISOString() };
}
