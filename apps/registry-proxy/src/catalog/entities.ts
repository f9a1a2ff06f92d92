import { Column, Entity, PrimaryColumn, type ValueTransformer } from 'typeorm';
import type { Digest } from '../names/digest.js';

// Postgres hands out bigint as text; no blob has more bytes than a number holds exactly.
const bytes: ValueTransformer = { to: (value: number) => value, from: (value: string) => Number(value) };

@Entity('repositories')
export class RepositoryRow {
  @PrimaryColumn('text')
  name!: string;

  /** Of a hosted repository. */
  @Column('text', { nullable: true })
  team!: string | null;

  /** Of one that is pulled through. */
  @Column('text', { nullable: true })
  upstream!: string | null;
}

@Entity('blobs')
export class BlobRow {
  @PrimaryColumn('text')
  digest!: Digest;

  @Column('bigint', { transformer: bytes })
  size!: number;
}

@Entity('blob_links')
export class BlobLinkRow {
  @PrimaryColumn('text')
  repository!: string;

  @PrimaryColumn('text')
  digest!: Digest;
}

@Entity('manifests')
export class ManifestRow {
  @PrimaryColumn('text')
  repository!: string;

  @PrimaryColumn('text')
  digest!: Digest;

  @Column('text', { name: 'media_type' })
  mediaType!: string;

  @Column('integer')
  size!: number;

  /** The manifest that this one says something about (OCI 1.1 `subject`), which need not be here. */
  @Column('text', { nullable: true })
  subject!: string | null;

  /** Of what kind it is (OCI 1.1 "Listing Referrers"): its `artifactType`, else the media type of its config. */
  @Column('text', { name: 'artifact_type', nullable: true })
  artifactType!: string | null;

  @Column('jsonb', { nullable: true })
  annotations!: Record<string, string> | null;
}

export type PartRole = 'config' | 'layer' | 'manifest';

@Entity('manifest_parts')
export class ManifestPartRow {
  @PrimaryColumn('text')
  repository!: string;

  @PrimaryColumn('text')
  manifest!: Digest;

  @PrimaryColumn('text')
  digest!: string;

  @PrimaryColumn('text')
  role!: PartRole;

  @Column('bigint', { transformer: bytes })
  size!: number;
}

@Entity('tags')
export class TagRow {
  @PrimaryColumn('text')
  repository!: string;

  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  digest!: Digest;

  /** When the upstream last said that the tag names this digest. */
  @Column('timestamptz', { name: 'checked_at' })
  checkedAt!: Date;
}

@Entity('uploads')
export class UploadRow {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  repository!: string;

  /** Name of its bytes in the store. */
  @Column('text')
  part!: string;

  /** Bytes acknowledged to the client. */
  @Column('bigint', { transformer: bytes })
  size!: number;

  /** Who is writing to it right now. */
  @Column('uuid', { nullable: true })
  writer!: string | null;

  @Column('timestamptz', { name: 'writer_until', nullable: true })
  writerUntil!: Date | null;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}

export const ENTITIES = [
  RepositoryRow,
  BlobRow,
  BlobLinkRow,
  ManifestRow,
  ManifestPartRow,
  TagRow,
  UploadRow,
];
