import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { Release } from '@berth/contracts';
import type { ReleaseSpec } from '../compose/index.js';

/** Immutable: a digest always means the same. */
@Entity('releases')
export class ReleaseEntity {
  @PrimaryColumn('text')
  project!: string;

  @PrimaryColumn('text')
  digest!: string;

  @Column('jsonb')
  spec!: ReleaseSpec;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}

export function toRelease(entity: ReleaseEntity, currentDigest: string | null): Release {
  const { digest, project, spec, createdBy, createdAt } = entity;
  const services = Object.entries(spec.images ?? {})
    .map(([name, { reference, digest: pinned }]) => ({ name, image: reference, digest: pinned }))
    .sort((a, b) => a.name.localeCompare(b.name));
  return {
    digest,
    project,
    services,
    current: digest === currentDigest,
    createdBy,
    createdAt: createdAt.toISOString(),
  };
}
