import { hookSubject, type PolicyHook } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('policy_hooks')
export class PolicyHookEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text', { nullable: true })
  url!: string | null;

  @Column('jsonb', { name: 'on_hooks' })
  on!: string[];

  @Column('text')
  scope!: string;

  @Column('integer', { name: 'timeout_ms' })
  timeoutMs!: number;

  @Column('text', { name: 'on_failure' })
  onFailure!: 'deny' | 'ignore';

  @Column('uuid', { name: 'secret_id', nullable: true })
  secretId!: string | null;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('text', { name: 'updated_by' })
  updatedBy!: string;
}

export function toPolicyHook({ secretId: _secretId, updatedAt, ...hook }: PolicyHookEntity): PolicyHook {
  const subject = hook.url === null ? hookSubject(hook.name) : null;
  return { ...hook, subject, updatedAt: updatedAt.toISOString() };
}
