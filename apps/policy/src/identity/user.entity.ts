import type { User } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('users')
export class UserEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  kind!: User['kind'];

  @Column('boolean')
  admin!: boolean;

  /** Whose service account it is. */
  @Column('text', { nullable: true })
  team!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

export function toUser({ name, kind, admin, team, createdAt }: UserEntity): User {
  return { name, kind, admin, team, createdAt: createdAt.toISOString() };
}
