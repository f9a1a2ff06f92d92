import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { Grant } from '@berth/actions';
import type {
  Deployment,
  DeploymentCause,
  DeploymentStatus,
  DeploymentStep,
  PolicyAnswer,
  ResourceRef,
} from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';

/** Why a rollout is taken back, noted before it is: whoever takes over goes on with that. */
export interface Undo {
  status: 'failed' | 'denied' | 'cancelled';
  reason: string;
  code: string | null;
  policies: PolicyAnswer[];
  /** RFC 3339. */
  since: string;
}

@Entity('deployments')
export class DeploymentEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'environment_id' })
  environmentId!: string;

  @Column('text')
  project!: string;

  @Column('text')
  environment!: string;

  @Column('text')
  team!: string;

  @Column('text')
  cause!: DeploymentCause;

  /** All that is to run once it has succeeded. */
  @Column('jsonb')
  spec!: RunSpec;

  /** Version of the environment's settings that it brings. */
  @Column('int')
  configuration!: number;

  /** The one that brought what ran when it began; null when nothing did. */
  @Column('uuid', { name: 'previous_deployment', nullable: true })
  previousDeployment!: string | null;

  /** Digest of the release that it brings. */
  @Column('text')
  release!: string;

  /** Digest of what ran when it began; null when nothing did. */
  @Column('text', { name: 'previous_release', nullable: true })
  previousRelease!: string | null;

  @Column('text')
  status!: DeploymentStatus;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('jsonb')
  steps!: DeploymentStep[];

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  /** Policy's leave, under which its end is judged and recorded too. */
  @Column('jsonb')
  permission!: Grant;

  @Column('jsonb', { nullable: true })
  undo!: Undo | null;

  /** Its instances have proven themselves, and requests are led to them where they are at other ports than before. */
  @Column('boolean', { default: false })
  serving!: boolean;

  @Column('text', { name: 'cancelled_by', nullable: true })
  cancelledBy!: string | null;

  @Column('timestamptz')
  deadline!: Date;

  @Column('uuid', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}

export function toDeployment(entity: DeploymentEntity): Deployment {
  const { id, team, project, environment, cause, release, configuration, createdBy } = entity;
  const { status, reason, steps } = entity;
  return {
    ...{ id, team, project, environment, cause, release, configuration, status, reason, steps, createdBy },
    createdAt: entity.createdAt.toISOString(),
    finishedAt: entity.finishedAt?.toISOString() ?? null,
  };
}

type Place = Pick<DeploymentEntity, 'id' | 'team' | 'project' | 'environment'>;

export function deploymentResource({ id, team, project, environment }: Place): ResourceRef {
  return { type: 'Deployment', id, team, project, environment };
}
