import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { Project, ResourceRef } from '@berth/contracts';

@Entity('projects')
export class ProjectEntity {
  /** Unique in the installation. */
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  team!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}

export function toProject({ name, team, createdAt }: ProjectEntity): Project {
  return { name, team, createdAt: createdAt.toISOString() };
}

export function projectResource({ name, team }: Pick<ProjectEntity, 'name' | 'team'>): ResourceRef {
  return { type: 'Project', id: name, team, project: name };
}
