import type { PolicyBinding, PolicyChange, PolicyVersion } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a policy was from one change to the next. They stay when it is removed. */
@Entity('policy_versions')
export class PolicyVersionEntity {
  @PrimaryColumn('text')
  policy!: string;

  @PrimaryColumn('integer')
  version!: number;

  @Column('text')
  change!: PolicyChange;

  @Column('text', { nullable: true })
  text!: string | null;

  @Column('jsonb')
  bindings!: PolicyBinding[];

  @Column('integer')
  revision!: number;

  @Column('timestamptz', { default: () => 'now()' })
  at!: Date;

  @Column('text')
  by!: string;
}

export function toPolicyVersion({ policy: _policy, at, ...version }: PolicyVersionEntity): PolicyVersion {
  return { ...version, at: at.toISOString() };
}
