import { LRUCache } from 'lru-cache';
import { imageCached } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import type { EntityManager } from 'typeorm';
import { lockBlob } from '../catalog/blob-filing.js';
import { ImageCatalog, type HeldManifest } from '../catalog/image-catalog.js';
import { isDigest, type Digest } from '../names/digest.js';
import type { RepositoryName, UpstreamName } from '../names/repository-name.js';
import type { ManifestReference } from '../names/tag.js';
import type { RegistryMetrics } from '../registry-metrics.js';
import type { PullSource } from '../usage/pull-counts.js';
import { isUpstreamTrouble, upstreamUnavailable } from '../upstream/upstream-error.js';
import type { FetchedManifest, UpstreamClient } from '../upstream/upstream-client.js';
import { ManifestProblem, readManifest } from './manifest-content.js';
import type { ManifestStore } from './manifest-store.js';
import { SingleFlight } from './single-flight.js';

export interface PulledManifest {
  digest: Digest;
  mediaType: string;
  bytes: Buffer;
  /** Whether it was here already, and the upstream was asked for no more than where the tag points. */
  cached: boolean;
  /** Why the upstream could not say whether the tag still names this; null when it could, or need not. */
  stale: string | null;
}

// How long an upstream in trouble is left alone when there is a copy to serve instead.
const PAUSE_AFTER_TROUBLE_MS = 5_000;
const USED_TOLD_EVERY_MS = 300_000;

/** Finds manifests: here, or in the upstream that their name says, from where they come to stay. */
export class ManifestPulls {
  private readonly flights = new SingleFlight<PulledManifest | null>();
  private readonly troubled = new Map<string, { until: number; why: string }>();
  private readonly used = new LRUCache<string, true>({ max: 10_000, ttl: USED_TOLD_EVERY_MS });

  constructor(
    private readonly catalog: ImageCatalog,
    private readonly manifests: ManifestStore,
    private readonly upstream: UpstreamClient,
    private readonly outbox: Outbox,
    private readonly settings: { tagTtlMs: number; database: EntityManager; metrics: RegistryMetrics },
  ) {}

  /** Null when there is none, as the upstream itself says where there is one. Throws what an upstream's trouble is. */
  async find(name: RepositoryName, reference: ManifestReference): Promise<PulledManifest | null> {
    const held = await this.catalog.findManifest(name.name, reference);
    const found =
      name.kind === 'hosted' ? await this.serve(held, null) : await this.findThrough(name, reference, held);
    if (found === null) return null;
    await this.markUsed(name, found.digest);
    this.settings.metrics.pulled('manifests', sourceOf(name, found));
    return found;
  }

  private async findThrough(
    name: UpstreamName,
    reference: ManifestReference,
    held: HeldManifest | null,
  ): Promise<PulledManifest | null> {
    if (held !== null && this.isFresh(held)) {
      const served = await this.serve(held, null);
      if (served !== null) return served;
    }
    const key = `${name.name} ${reference.tag ?? reference.digest}`;
    return this.flights.run(key, () =>
      reference.tag === undefined
        ? this.fetch(name, reference.digest)
        : this.followTag(name, reference.tag, held),
    );
  }

  /** A digest never changes its content; a tag may, and is believed for a while. */
  private isFresh(held: HeldManifest): boolean {
    return held.checkedAt === null || Date.now() - held.checkedAt.getTime() < this.settings.tagTtlMs;
  }

  private async followTag(
    name: UpstreamName,
    tag: string,
    held: HeldManifest | null,
  ): Promise<PulledManifest | null> {
    if (held === null) return this.fetch(name, tag);
    const trouble = this.troubleOf(name.upstream);
    if (trouble !== null) {
      const served = await this.serve(held, trouble);
      if (served !== null) return served;
    }
    try {
      return await this.refreshTag(name, tag);
    } catch (error) {
      if (!isUpstreamTrouble(error)) throw error;
      this.troubled.set(name.upstream, { until: Date.now() + PAUSE_AFTER_TROUBLE_MS, why: error.message });
      const served = await this.serve(held, error.message);
      if (served === null) throw error;
      return served;
    }
  }

  /** HEAD costs nothing of the Hub's rate limit; only a tag that moved to what is not here costs a GET. */
  private async refreshTag(name: UpstreamName, tag: string): Promise<PulledManifest | null> {
    const digest = await this.upstream.tagDigest(name, tag);
    if (digest === null) {
      await this.catalog.removeTag(name.name, tag);
      return null;
    }
    if (digest === undefined) return this.fetch(name, tag);
    const served = await this.serve(await this.catalog.findManifest(name.name, { digest }), null);
    if (served === null) return this.fetch(name, tag);
    await this.catalog.putTag(name.name, tag, digest);
    this.catalog.changed(name.name);
    return served;
  }

  private async fetch(name: UpstreamName, reference: string): Promise<PulledManifest | null> {
    const fetched = await this.upstream.manifest(name, reference);
    this.troubled.delete(name.upstream);
    if (fetched === null) return null;
    await this.keep(name, reference, fetched);
    return { ...fetched, cached: false, stale: null };
  }

  private async keep(name: UpstreamName, reference: string, fetched: FetchedManifest): Promise<void> {
    const { digest, mediaType, bytes } = fetched;
    const content = this.read(name, fetched);
    const size = bytes.length;
    await this.settings.database.transaction(async (transaction) => {
      await lockBlob(transaction, digest);
      await this.manifests.put(digest, bytes);
      const tags = isDigest(reference) ? [] : [reference];
      await this.catalog.putManifest(name, { digest, mediaType, size, content }, tags, transaction);
      const told = { repository: name.name, reference, digest, mediaType, size };
      await this.outbox.event(transaction, draftEvent(imageCached, {}, told));
    });
    this.catalog.changed(name.name);
  }

  private read(name: UpstreamName, { bytes, mediaType }: FetchedManifest) {
    try {
      return readManifest(bytes, mediaType);
    } catch (error) {
      if (!(error instanceof ManifestProblem)) throw error;
      throw upstreamUnavailable(
        name.upstream,
        'invalid',
        `sent what is no manifest for ${name.path}: ${error.message}`,
      );
    }
  }

  private async serve(held: HeldManifest | null, stale: string | null): Promise<PulledManifest | null> {
    if (held === null) return null;
    const bytes = await this.manifests.get(held.digest);
    return bytes && { digest: held.digest, mediaType: held.mediaType, bytes, cached: true, stale };
  }

  /** What was used lately is the last to go: when the cache is full, and by retention rules. */
  private async markUsed({ name }: RepositoryName, digest: Digest): Promise<void> {
    const key = `${name}@${digest}`;
    if (this.used.has(key)) return;
    this.used.set(key, true);
    // Nobody is refused an image because this could not be noted.
    await this.catalog.markUsed(name, digest).catch(() => this.used.delete(key));
  }

  private troubleOf(upstream: string): string | null {
    const trouble = this.troubled.get(upstream);
    if (trouble === undefined || trouble.until < Date.now()) return null;
    return trouble.why;
  }
}

function sourceOf({ kind }: RepositoryName, { stale, cached }: PulledManifest): PullSource {
  if (kind === 'hosted') return 'hosted';
  if (stale !== null) return 'stale';
  return cached ? 'cache' : 'upstream';
}
