import { Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager, In, MoreThan } from 'typeorm';
import type { Digest } from '../names/digest.js';
import type { HostedName, RepositoryName } from '../names/repository-name.js';
import type { ManifestReference } from '../names/tag.js';
import type { ManifestContent } from '../pull/manifest-content.js';
import { CatalogMemory } from './catalog-memory.js';
import { BlobLinkRow, BlobRow, ManifestPartRow, ManifestRow, RepositoryRow, TagRow } from './entities.js';

/** A manifest that a repository holds. */
export interface HeldManifest {
  digest: Digest;
  mediaType: string;
  /** Bytes. */
  size: number;
  /** Of a manifest found by tag: when the upstream last confirmed the tag. */
  checkedAt: Date | null;
}

export interface NewManifest {
  digest: Digest;
  mediaType: string;
  size: number;
  content: ManifestContent;
}

/** A manifest that says something about another one. */
export interface Referrer {
  digest: Digest;
  mediaType: string;
  size: number;
  artifactType: string | null;
  annotations: Record<string, string> | null;
}

export interface ReferrersQuery {
  repository: string;
  subject: Digest;
  /** Null: of all types. */
  artifactType: string | null;
  last: string | null;
}

/** What repositories hold: which manifests, tags and blobs. Methods that write take the transaction of the change. */
@Injectable()
export class ImageCatalog {
  constructor(
    @InjectEntityManager() private readonly database: EntityManager,
    private readonly memory: CatalogMemory,
  ) {}

  async hasRepository(name: string): Promise<boolean> {
    return this.database.existsBy(RepositoryRow, { name });
  }

  async ensureRepository(name: RepositoryName, transaction: EntityManager = this.database): Promise<void> {
    await transaction
      .createQueryBuilder()
      .insert()
      .into(RepositoryRow)
      .values({
        name: name.name,
        team: name.kind === 'hosted' ? name.team : null,
        upstream: name.kind === 'upstream' ? name.upstream : null,
      })
      .orIgnore()
      .execute();
  }

  async findManifest(repository: string, reference: ManifestReference): Promise<HeldManifest | null> {
    const { tag, digest } = reference;
    // A tag has no colon, a digest has.
    return this.memory.recall(repository, tag ?? digest, () =>
      tag !== undefined ? this.findTagged(repository, tag) : this.findByDigest(repository, digest),
    );
  }

  async markUsed(repository: string, digest: Digest): Promise<void> {
    await this.database.query('UPDATE manifests SET used_at = now() WHERE repository = $1 AND digest = $2', [
      repository,
      digest,
    ]);
  }

  /** To be called once a change of what a repository holds is committed. */
  changed(repository: string): void {
    this.memory.forget(repository);
  }

  private async findByDigest(repository: string, digest: Digest): Promise<HeldManifest | null> {
    const found = await this.database.findOneBy(ManifestRow, { repository, digest });
    return found && { digest, mediaType: found.mediaType, size: found.size, checkedAt: null };
  }

  private async findTagged(repository: string, tag: string): Promise<HeldManifest | null> {
    const rows = await this.database.query<HeldManifest[]>(
      `SELECT digest, media_type AS "mediaType", size, checked_at AS "checkedAt"
       FROM tags JOIN manifests USING (repository, digest) WHERE repository = $1 AND name = $2`,
      [repository, tag],
    );
    return rows[0] ?? null;
  }

  /** Those that are there, and stay so until the transaction ends. */
  async hasManifests(
    repository: string,
    digests: Digest[],
    transaction: EntityManager,
  ): Promise<Set<string>> {
    if (digests.length === 0) return new Set();
    const rows = await transaction.find(ManifestRow, {
      select: { digest: true },
      where: { repository, digest: In(digests) },
      lock: { mode: 'for_key_share' },
    });
    return new Set(rows.map((row) => row.digest));
  }

  /** Files a manifest whose bytes are in the store, and lets tags name it. */
  async putManifest(
    name: RepositoryName,
    { digest, mediaType, size, content }: NewManifest,
    tags: readonly string[],
    transaction: EntityManager,
  ): Promise<void> {
    const repository = name.name;
    await this.ensureRepository(name, transaction);
    await this.addBlob(digest, size, transaction);
    const { subject, artifactType, annotations } = content;
    await transaction.upsert(
      ManifestRow,
      { repository, digest, mediaType, size, subject, artifactType, annotations },
      ['repository', 'digest'],
    );
    if (content.parts.length > 0) {
      await transaction
        .createQueryBuilder()
        .insert()
        .into(ManifestPartRow)
        .values(content.parts.map((part) => ({ repository, manifest: digest, ...part })))
        .orIgnore()
        .execute();
    }
    for (const tag of tags) await this.putTag(repository, tag, digest, transaction);
  }

  async putTag(
    repository: string,
    name: string,
    digest: Digest,
    transaction: EntityManager = this.database,
  ): Promise<void> {
    await transaction.query(
      `INSERT INTO tags (repository, name, digest) VALUES ($1, $2, $3)
       ON CONFLICT (repository, name) DO UPDATE SET
         digest = excluded.digest,
         checked_at = now(),
         updated_at = CASE WHEN tags.digest = excluded.digest THEN tags.updated_at ELSE now() END`,
      [repository, name, digest],
    );
  }

  async removeTag(repository: string, name: string): Promise<void> {
    await this.database.delete(TagRow, { repository, name });
    this.changed(repository);
  }

  /** Tags in byte order, those after `last` only, `limit` at most. */
  async listTags(repository: string, last: string | null, limit: number): Promise<string[]> {
    const rows = await this.database.find(TagRow, {
      select: { name: true },
      where: { repository, ...(last === null ? {} : { name: MoreThan(last) }) },
      order: { name: 'ASC' },
      take: limit,
    });
    return rows.map((row) => row.name);
  }

  async isLinked(repository: string, digest: Digest): Promise<boolean> {
    const linked = await this.memory.recall(repository, `blob ${digest}`, async () =>
      (await this.database.existsBy(BlobLinkRow, { repository, digest })) ? true : null,
    );
    return linked !== null;
  }

  async linkedAmong(repository: string, digests: Digest[], transaction: EntityManager): Promise<Set<string>> {
    if (digests.length === 0) return new Set();
    const rows = await transaction.find(BlobLinkRow, {
      select: { digest: true },
      where: { repository, digest: In(digests) },
      lock: { mode: 'for_key_share' },
    });
    return new Set(rows.map((row) => row.digest));
  }

  /** Some of the repositories of these teams (null: of all) that hold a blob. */
  async holders(digest: Digest, teams: readonly string[] | null): Promise<HostedName[]> {
    const rows = await this.database.query<{ name: string; team: string }[]>(
      `SELECT r.name, r.team FROM blob_links l JOIN repositories r ON r.name = l.repository
       WHERE l.digest = $1 AND r.team IS NOT NULL AND ($2::text[] IS NULL OR r.team = ANY ($2)) LIMIT 3`,
      [digest, teams],
    );
    return rows.map((row) => ({ kind: 'hosted', ...row }));
  }

  /** Manifests about another one, in the order of their digests, those after `last` only. */
  async referrers(
    { repository, subject, artifactType, last }: ReferrersQuery,
    limit: number,
  ): Promise<Referrer[]> {
    return this.database.query<Referrer[]>(
      `SELECT digest, media_type AS "mediaType", size, artifact_type AS "artifactType", annotations
       FROM manifests
       WHERE repository = $1 AND subject = $2 AND ($3::text IS NULL OR artifact_type = $3) AND digest > $4
       ORDER BY digest LIMIT $5`,
      [repository, subject, artifactType, last ?? '', limit],
    );
  }

  /** Bytes of a blob, as a manifest of this repository says; null when none refers to it. */
  async sizeByManifests(repository: string, digest: Digest): Promise<number | null> {
    const part = await this.database.findOneBy(ManifestPartRow, { repository, digest });
    return part?.size ?? null;
  }

  /** Lets a repository hold a blob: for a while, until a manifest names it. See `BlobFiling`, which knows that its bytes are there. */
  async link(name: RepositoryName, digest: Digest, size: number, transaction: EntityManager): Promise<void> {
    await this.ensureRepository(name, transaction);
    await this.addBlob(digest, size, transaction);
    await transaction.query(
      `INSERT INTO blob_links (repository, digest) VALUES ($1, $2)
       ON CONFLICT (repository, digest) DO UPDATE SET linked_at = now()`,
      [name.name, digest],
    );
  }

  /**
   * Whether a repository holds a blob; if so, it will for a while yet: whoever asks is about to push a manifest that names it.
   */
  async renewLease(repository: string, digest: Digest): Promise<boolean> {
    const [rows] = await this.database.query<[unknown[], number]>(
      'UPDATE blob_links SET linked_at = now() WHERE repository = $1 AND digest = $2 RETURNING 1',
      [repository, digest],
    );
    return rows.length > 0;
  }

  async hasBlob(digest: Digest, transaction: EntityManager = this.database): Promise<boolean> {
    return transaction.existsBy(BlobRow, { digest });
  }

  private async addBlob(digest: Digest, size: number, transaction: EntityManager): Promise<void> {
    await transaction
      .createQueryBuilder()
      .insert()
      .into(BlobRow)
      .values({ digest, size })
      .orIgnore()
      .execute();
  }
}
