import type { Member, Role, Team } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('teams')
export class TeamEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

@Entity('members')
export class MemberEntity {
  @PrimaryColumn('text')
  team!: string;

  @PrimaryColumn('text', { name: 'user_name' })
  user!: string;

  @Column('text')
  role!: Role;

  /** Those of groups come and go with them; what somebody gave by hand stays. */
  @Column('text', { default: 'manual' })
  source!: Member['source'];
}

export function toTeam({ name, createdAt }: TeamEntity): Team {
  return { name, createdAt: createdAt.toISOString() };
}

export function toMember({ team, user, role, source }: MemberEntity): Member {
  return { team, user, role, source };
}
