import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type {
  Drift,
  Environment,
  HaltedService,
  OnDrift,
  ResourceRef,
  ServiceSettings,
} from '@berth/contracts';
import type { DeclaredResources } from '../resources/declared-resource.js';
import type { Settings } from './configuration.entity.js';

@Entity('environments')
export class EnvironmentEntity implements Settings {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  project!: string;

  @Column('text')
  name!: string;

  /** The project's, which never changes. */
  @Column('text')
  team!: string;

  @Column('jsonb')
  variables!: Record<string, string>;

  @Column('jsonb')
  services!: Record<string, ServiceSettings>;

  @Column('jsonb')
  restarts!: Record<string, number>;

  @Column('jsonb')
  resources!: DeclaredResources;

  /** Version of the four above. */
  @Column('int')
  configuration!: number;

  /** The one that brought what runs; null when nothing does. */
  @Column('uuid', { nullable: true })
  deployment!: string | null;

  /** Digest of what runs; null when nothing does. */
  @Column('text', { nullable: true })
  release!: string | null;

  @Column('text', { name: 'on_drift' })
  onDrift!: OnDrift;

  /** What was last found otherwise in the engine; null where all was as rolled out. */
  @Column('jsonb', { nullable: true })
  drift!: Drift | null;

  /** Ids of the instances that policy has judged as they run; null where none was judged since this is kept. */
  @Column('jsonb', { nullable: true })
  judged!: string[] | null;

  @Column('jsonb')
  halted!: HaltedService[];

  /** Set while it is being removed. */
  @Column('timestamptz', { name: 'removing_since', nullable: true })
  removingSince!: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}

export function toEnvironment(entity: EnvironmentEntity): Environment {
  const { project, name, team, variables, services, configuration, release } = entity;
  const { onDrift, drift, halted } = entity;
  return {
    ...{ project, name, team, variables, services, configuration, release, onDrift, drift, halted },
    createdAt: entity.createdAt.toISOString(),
  };
}

type Place = Pick<EnvironmentEntity, 'project' | 'name' | 'team'>;

export function environmentResource({ project, name, team }: Place): ResourceRef {
  return { type: 'Environment', id: `${project}.${name}`, team, project, environment: name };
}

export function serviceResource({ team, project, name }: Place, service: string): ResourceRef {
  return { type: 'Service', id: `${project}.${name}.${service}`, team, project, environment: name };
}
