import type { Logger } from '@berth/runtime';
import type { BlobFiling } from '../catalog/blob-filing.js';
import type { ImageCatalog } from '../catalog/image-catalog.js';
import type { Digest } from '../names/digest.js';
import type { RegistryMetrics } from '../registry-metrics.js';
import type { RepositoryName, UpstreamName } from '../names/repository-name.js';
import type { BlobStore, StoredBlob } from '../store/blob-store.js';
import type { UpstreamClient } from '../upstream/upstream-client.js';
import { steadyBody } from '../upstream/steady-body.js';
import { upstreamUnavailable } from '../upstream/upstream-error.js';
import type { ArrivingBlob } from './arriving-blob.js';
import { BlobFetch } from './blob-fetch.js';
import type { FetchLeases, Lease } from './fetch-leases.js';
import { FollowedBlob } from './followed-blob.js';
import { SingleFlight } from './single-flight.js';

/** A blob to be sent: from the store, or while it arrives from an upstream. `leave` a fetch, `close` a stored one. */
export type BlobSource = { kind: 'stored'; blob: StoredBlob } | { kind: 'arriving'; fetch: ArrivingBlob };

/** Finds blobs: in the store, or in the upstream that the repository's name says, from where they come to stay. */
export class BlobPulls {
  /** What is on its way, until all is done that its end takes. */
  private readonly arriving = new Map<string, { blob: ArrivingBlob; end: Promise<void> }>();
  private readonly starting = new SingleFlight<ArrivingBlob | 'stored' | null>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly catalog: ImageCatalog,
    private readonly store: BlobStore,
    private readonly upstream: UpstreamClient,
    private readonly filing: BlobFiling,
    private readonly settings: { leases: FetchLeases; metrics: RegistryMetrics; logger: Logger },
  ) {}

  /** Bytes; undefined when the upstream has it and does not tell; null when there is none. */
  async size(name: RepositoryName, digest: Digest): Promise<number | undefined | null> {
    if (await this.catalog.isLinked(name.name, digest)) {
      const stored = await this.store.size(digest);
      if (stored !== null) return stored;
    }
    return name.kind === 'hosted' ? null : this.upstream.blobSize(name, digest);
  }

  /** To give it out. Null when there is none. Throws what an upstream's trouble is. */
  async give(name: RepositoryName, digest: Digest): Promise<BlobSource | null> {
    const source = await this.open(name, digest);
    if (source === null) return null;
    const from = name.kind === 'hosted' ? 'hosted' : source.kind === 'stored' ? 'cache' : 'upstream';
    this.settings.metrics.pulled('blobs', from);
    return source;
  }

  /** As `give`, to read it here: that is no pull. */
  async open(name: RepositoryName, digest: Digest): Promise<BlobSource | null> {
    if (await this.catalog.isLinked(name.name, digest)) {
      const blob = await this.store.open(digest);
      if (blob !== null) return { kind: 'stored', blob };
    }
    if (name.kind === 'hosted') return null;

    const key = `${name.name}@${digest}`;
    const found =
      this.arriving.get(key)?.blob ?? (await this.starting.run(key, () => this.start(name, digest, key)));
    if (found === null) return null;
    if (found !== 'stored') {
      if (found.enter()) return { kind: 'arriving', fetch: found };
      // Whoever comes after its end does not take part in how it ended.
      await this.arriving.get(key)?.end;
      return this.open(name, digest);
    }
    const blob = await this.store.open(digest);
    return blob && { kind: 'stored', blob };
  }

  /** Breaks off what is still on its way; nothing of it stays. The clients that read it were waited for before. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.arriving.values()].map(({ end }) => end));
  }

  private async start(
    name: UpstreamName,
    digest: Digest,
    key: string,
  ): Promise<ArrivingBlob | 'stored' | null> {
    const { leases } = this.settings;
    const wanted = { repository: name.name, digest };
    const following = { wanted, upstream: name.upstream, leases, store: this.store };
    for (;;) {
      // It may have come to its end between the caller's look and this one.
      if (await this.adopt(name, digest)) return 'stored';
      const lease = await leases.take(wanted);
      if (lease !== null) return this.lead(name, lease, key);
      const followed = await FollowedBlob.find(following, this.stopping.signal);
      if (followed === null) continue;
      const isHere = (): Promise<boolean> => this.catalog.isLinked(name.name, digest);
      this.track(key, followed, followed.run(isHere, this.stopping.signal));
      return followed;
    }
  }

  /** Fetches it for all instances. */
  private async lead(name: UpstreamName, lease: Lease, key: string): Promise<BlobFetch | 'stored' | null> {
    const { leases } = this.settings;
    try {
      // Who had the lease before may have ended well since the look at the store.
      const fetch = (await this.catalog.isLinked(name.name, lease.digest))
        ? 'stored'
        : await this.fetch(name, lease, key);
      if (fetch === null || fetch === 'stored') await leases.end(lease);
      return fetch;
    } catch (error) {
      await leases.end(lease, error);
      throw error;
    }
  }

  private async fetch(name: UpstreamName, lease: Lease, key: string): Promise<BlobFetch | null> {
    const { digest } = lease;
    const { leases, logger } = this.settings;
    const answer = await this.upstream.blob(name, digest);
    if (answer === null) return null;
    const expected = await this.catalog.sizeByManifests(name.name, digest);
    if (answer.size !== null && expected !== null && answer.size !== expected) {
      answer.body.destroy();
      throw upstreamUnavailable(
        name.upstream,
        'invalid',
        `offers ${answer.size} bytes for ${digest}, which by its manifest are ${expected}`,
      );
    }
    const partial = await this.store.receive();
    const fetch = new BlobFetch(digest, answer.size ?? expected, partial, name.upstream);
    try {
      await leases.announce(lease, partial.name, fetch.toldSize);
    } catch (error) {
      answer.body.destroy();
      await partial.discard();
      throw error;
    }
    const keep = async (): Promise<void> => {
      await this.filing.file(name, digest, partial);
      logger.info({ repository: name.name, digest, bytes: partial.size }, 'blob.cached');
    };
    const body = steadyBody({
      upstream: name.upstream,
      what: digest,
      first: answer,
      reopen: (from) => this.upstream.blob(name, digest, from),
      signal: this.stopping.signal,
    });
    this.track(key, fetch, fetch.run(body, keep), (failure) => leases.end(lease, failure));
    return fetch;
  }

  private track(
    key: string,
    blob: ArrivingBlob,
    running: Promise<Error | null>,
    afterwards: (failure: Error | null) => Promise<void> = () => Promise.resolve(),
  ): void {
    const end = running.then(async (failure) => {
      if (failure !== null) this.settings.logger.warn({ err: failure, blob: key }, 'blob.fetch-failed');
      await afterwards(failure);
      this.arriving.delete(key);
    });
    this.arriving.set(key, { blob, end });
  }

  /**
   * Lets a repository share a blob that another one brought into the store. Only after its own upstream said that it has
   * it too: else a repository of anybody's would open every private blob whose digest is known.
   */
  private async adopt(name: UpstreamName, digest: Digest): Promise<boolean> {
    const size = await this.store.size(digest);
    if (size === null) return false;
    if (!(await this.catalog.isLinked(name.name, digest))) {
      const theirs = await this.upstream.blobSize(name, digest);
      if (theirs === null || (theirs !== undefined && theirs !== size)) return false;
      return this.filing.share(name, digest);
    }
    return true;
  }
}
