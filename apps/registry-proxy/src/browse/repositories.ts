import { Injectable } from '@nestjs/common';
import type { VisibleTeams } from '@berth/actions';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import {
  positionOf,
  toPage,
  type ImageTag,
  type ListImageTags,
  type ListRepositories,
  type Page,
  type Repository,
} from '@berth/contracts';

interface RepositoryFacts {
  name: string;
  team: string | null;
  upstream: string | null;
  tags: string;
  bytes: string;
  updatedAt: Date | null;
}
interface TagFacts {
  name: string;
  digest: string;
  mediaType: string;
  bytes: string | null;
  updatedAt: Date;
}

/** What the registry holds, for people to look at. */
@Injectable()
export class Repositories {
  constructor(@InjectEntityManager() private readonly database: EntityManager) {}

  /** By name. */
  async page(
    { limit, cursor }: Pick<ListRepositories, 'limit' | 'cursor'>,
    teams: VisibleTeams,
  ): Promise<Page<Repository>> {
    const rows = await this.database.query<RepositoryFacts[]>(
      `SELECT r.name, r.team, r.upstream, t.tags, t.updated_at AS "updatedAt",
              coalesce((SELECT sum(b.size) FROM blob_links l JOIN blobs b USING (digest) WHERE l.repository = r.name), 0)
              + coalesce((SELECT sum(m.size) FROM manifests m WHERE m.repository = r.name), 0) AS bytes
       FROM repositories r
       CROSS JOIN LATERAL (SELECT count(*) AS tags, max(updated_at) AS updated_at FROM tags WHERE repository = r.name) t
       WHERE r.name > $1 AND ($2::text[] IS NULL OR r.team = ANY ($2))
       ORDER BY r.name LIMIT $3`,
      [positionOf(cursor, 'name'), teams, limit + 1],
    );
    return toPage(rows, limit, toRepository, ({ name }) => ({ name }));
  }

  /** In byte order, as the distribution spec lists them. */
  async tags({ repository, limit, cursor }: ListImageTags): Promise<Page<ImageTag>> {
    const rows = await this.database.query<TagFacts[]>(
      `SELECT t.name, t.digest, m.media_type AS "mediaType", t.updated_at AS "updatedAt",
              (SELECT sum(p.size) FROM manifest_parts p
               WHERE p.repository = m.repository AND p.manifest = m.digest AND p.role <> 'manifest') AS bytes
       FROM tags t JOIN manifests m USING (repository, digest)
       WHERE t.repository = $1 AND t.name > $2 ORDER BY t.name LIMIT $3`,
      [repository, positionOf(cursor, 'name'), limit + 1],
    );
    return toPage(rows, limit, toTag, ({ name }) => ({ name }));
  }
}

function toRepository({ tags, bytes, updatedAt, ...same }: RepositoryFacts): Repository {
  return { ...same, tags: Number(tags), bytes: Number(bytes), updatedAt: updatedAt?.toISOString() ?? null };
}

function toTag({ bytes, updatedAt, ...same }: TagFacts): ImageTag {
  return { ...same, bytes: bytes === null ? null : Number(bytes), updatedAt: updatedAt.toISOString() };
}
