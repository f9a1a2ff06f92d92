import { Injectable } from '@nestjs/common';
import { ImageCatalog, type Referrer, type ReferrersQuery } from '../catalog/image-catalog.js';
import { hexOf, algorithmOf, type Digest } from '../names/digest.js';
import type { RepositoryName, UpstreamName } from '../names/repository-name.js';
import { UpstreamClient } from '../upstream/upstream-client.js';
import { readIndexEntries } from './index-entries.js';

/** As it stands in an index of referrers (OCI image spec, descriptor.md). */
export interface ReferrerDescriptor {
  mediaType: string;
  digest: Digest;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}

/** Which manifests say something about another one: signatures, SBOMs, attestations. */
@Injectable()
export class Referrers {
  constructor(
    private readonly catalog: ImageCatalog,
    private readonly upstream: UpstreamClient,
  ) {}

  /** In the order of their digests. What is pulled through is asked of its upstream: only that one knows all of them. */
  async of(
    name: RepositoryName,
    query: Omit<ReferrersQuery, 'repository'>,
    limit: number,
  ): Promise<ReferrerDescriptor[]> {
    if (name.kind === 'upstream') return this.ofUpstream(name, query, limit);
    const found = await this.catalog.referrers({ repository: name.name, ...query }, limit);
    return found.map(toDescriptor);
  }

  private async ofUpstream(
    name: UpstreamName,
    { subject, artifactType, last }: Omit<ReferrersQuery, 'repository'>,
    limit: number,
  ): Promise<ReferrerDescriptor[]> {
    // Where it has no such list, clients keep one under a tag ("Unavailable Referrers API").
    const tag = `${algorithmOf(subject)}-${hexOf(subject)}`;
    const index =
      (await this.upstream.referrers(name, subject)) ?? (await this.upstream.manifest(name, tag))?.bytes;
    return readIndexEntries(index ?? null)
      .filter((entry) => artifactType === null || entry.artifactType === artifactType)
      .filter(({ digest }) => digest > (last ?? ''))
      .sort((left, right) => (left.digest < right.digest ? -1 : 1))
      .slice(0, limit);
  }
}

function toDescriptor({ artifactType, annotations, mediaType, digest, size }: Referrer): ReferrerDescriptor {
  return {
    ...{ mediaType, digest, size },
    ...(artifactType === null ? {} : { artifactType }),
    ...(annotations === null ? {} : { annotations }),
  };
}
