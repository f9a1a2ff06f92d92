import { type DynamicModule, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { EntityManager } from 'typeorm';
import { Outbox } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { BrowseController } from './browse/browse.controller.js';
import { InspectionController } from './browse/inspection.controller.js';
import { Repositories } from './browse/repositories.js';
import { BlobFiling } from './catalog/blob-filing.js';
import { CatalogMemory } from './catalog/catalog-memory.js';
import { ImageCatalog } from './catalog/image-catalog.js';
import { Referrers } from './discovery/referrers.js';
import type { RegistryEnv } from './env.js';
import { FoundImages } from './facts/found-images.js';
import { CacheEviction } from './housekeeping/cache-eviction.js';
import { Collector } from './housekeeping/collector.js';
import { GarbageCollection } from './housekeeping/garbage-collection.js';
import { HousekeepingController } from './housekeeping/housekeeping.controller.js';
import { Housekeeping } from './housekeeping/housekeeping.js';
import { Scrub } from './housekeeping/scrub.js';
import { Scrubber } from './housekeeping/scrubber.js';
import { Authenticator } from './http/authenticator.js';
import { DeleteRoutes } from './http/delete-routes.js';
import { DiscoveryRoutes } from './http/discovery-routes.js';
import { MirrorDoor } from './http/mirror-door.js';
import { NameReader } from './http/name-reader.js';
import { PullRoutes } from './http/pull-routes.js';
import { PushRoutes } from './http/push-routes.js';
import { RegistryEndpoint } from './http/registry-endpoint.js';
import { RouteTable } from './http/route-table.js';
import { UploadHandler } from './http/upload-handler.js';
import { Leaves } from './leave/leaves.js';
import { PolicyStanding } from './leave/policy-standing.js';
import { ClientTokens } from './login/client-tokens.js';
import { PushLoginController } from './login/push-login.controller.js';
import { TokenRoute } from './login/token-route.js';
import { BlobPulls } from './pull/blob-pulls.js';
import { FetchLeases } from './pull/fetch-leases.js';
import { ManifestPulls } from './pull/manifest-pulls.js';
import { ManifestStore } from './pull/manifest-store.js';
import { ManifestPushes } from './push/manifest-pushes.js';
import { Uploads } from './push/uploads.js';
import { UploadSweep } from './push/upload-sweep.js';
import { StorageQuota } from './quota/storage-quota.js';
import { StorageController } from './quota/storage.controller.js';
import { RegistryMetrics } from './registry-metrics.js';
import { ImageRemoval } from './remove/image-removal.js';
import { ManifestRemovals } from './remove/manifest-removals.js';
import { ImageResolver } from './resolve/image-resolver.js';
import { ReferenceSettings } from './resolve/reference-settings.js';
import { ResolveController } from './resolve/resolve.controller.js';
import { RetentionRounds } from './retention/retention-rounds.js';
import { RetentionRules } from './retention/retention-rules.js';
import { RetentionController } from './retention/retention.controller.js';
import { Retention } from './retention/retention.js';
import { Seal } from './sealing/seal.js';
import { BlobStore } from './store/blob-store.js';
import { openStore } from './store/open-store.js';
import { AddedUpstreams, UPSTREAM_PASSWORDS } from './upstream/added-upstreams.js';
import { UpstreamClient } from './upstream/upstream-client.js';
import { UpstreamDirectory } from './upstream/upstream-directory.js';
import { PullCounts } from './usage/pull-counts.js';
import { UsageController } from './usage/usage.controller.js';
import { UpstreamsController } from './upstream/upstreams.controller.js';
import { readUpstreams } from './upstream/upstreams.js';

const BODY_IDLE_FACTOR = 3;

/** Lets fetches come to their end before the store closes: after the last request, before the database goes. */
@Injectable()
class StoreShutdown implements OnApplicationShutdown {
  constructor(
    private readonly store: BlobStore,
    private readonly blobs: BlobPulls,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.blobs.stop();
    await this.store.close();
  }
}

/** The registry: its store, its upstreams, and the two doors, HTTP for clients and NATS for the scheduler. */
@Module({})
export class RegistryModule {
  static forService(env: RegistryEnv): DynamicModule {
    const timeouts = {
      answer: env.REGISTRY_UPSTREAM_TIMEOUT_MS,
      idle: env.REGISTRY_UPSTREAM_TIMEOUT_MS * BODY_IDLE_FACTOR,
    };
    return {
      module: RegistryModule,
      controllers: [
        ResolveController,
        HousekeepingController,
        BrowseController,
        InspectionController,
        UpstreamsController,
        StorageController,
        PushLoginController,
        UsageController,
        RetentionController,
      ],
      providers: [
        {
          provide: BlobStore,
          inject: [LOGGER],
          useFactory: (logger: Logger) => openStore(env, logger),
        },
        {
          provide: UpstreamDirectory,
          useFactory: () => new UpstreamDirectory(readUpstreams(env.REGISTRY_UPSTREAMS)),
        },
        {
          provide: UPSTREAM_PASSWORDS,
          useFactory: () => new Seal(env.REGISTRY_KEY, 'upstream passwords'),
        },
        {
          provide: ClientTokens,
          useFactory: () => new ClientTokens(new Seal(env.REGISTRY_KEY, 'client tokens')),
        },
        TokenRoute,
        {
          provide: MirrorDoor,
          useFactory: () =>
            new MirrorDoor(
              env.REGISTRY_MIRROR_PORT === undefined
                ? null
                : {
                    port: env.REGISTRY_MIRROR_PORT,
                    host: env.HTTP_HOST,
                    upstream: env.REGISTRY_MIRROR_OF,
                  },
            ),
        },
        AddedUpstreams,
        {
          provide: UpstreamClient,
          inject: [UpstreamDirectory, RegistryMetrics],
          useFactory: (directory: UpstreamDirectory, metrics: RegistryMetrics) =>
            new UpstreamClient(directory, timeouts, metrics),
        },
        {
          provide: NameReader,
          inject: [UpstreamDirectory],
          useFactory: (directory: UpstreamDirectory) => new NameReader(directory),
        },
        {
          provide: ReferenceSettings,
          inject: [UpstreamDirectory],
          useFactory: (directory: UpstreamDirectory) => new ReferenceSettings(env.BERTH_REGISTRY, directory),
        },
        PullCounts,
        RegistryMetrics,
        StorageQuota,
        CatalogMemory,
        ImageCatalog,
        PolicyStanding,
        Leaves,
        {
          provide: ManifestStore,
          inject: [BlobStore],
          useFactory: (store: BlobStore) => new ManifestStore(store),
        },
        {
          provide: ManifestPulls,
          inject: [ImageCatalog, ManifestStore, UpstreamClient, Outbox, EntityManager, RegistryMetrics],
          useFactory: (
            catalog: ImageCatalog,
            manifests: ManifestStore,
            upstream: UpstreamClient,
            outbox: Outbox,
            database: EntityManager,
            metrics: RegistryMetrics,
          ) =>
            new ManifestPulls(catalog, manifests, upstream, outbox, {
              tagTtlMs: env.REGISTRY_TAG_TTL_SECONDS * 1_000,
              database,
              metrics,
            }),
        },
        {
          provide: BlobPulls,
          inject: [ImageCatalog, BlobStore, UpstreamClient, BlobFiling, FetchLeases, RegistryMetrics, LOGGER],
          useFactory: (
            catalog: ImageCatalog,
            store: BlobStore,
            upstream: UpstreamClient,
            filing: BlobFiling,
            leases: FetchLeases,
            metrics: RegistryMetrics,
            logger: Logger,
          ) => new BlobPulls(catalog, store, upstream, filing, { leases, metrics, logger }),
        },
        {
          provide: FetchLeases,
          inject: [EntityManager, LOGGER],
          useFactory: (database: EntityManager, logger: Logger) => new FetchLeases(database, logger),
        },
        {
          provide: FoundImages,
          inject: [BlobStore, BlobPulls],
          useFactory: (store: BlobStore, blobs: BlobPulls) => new FoundImages(store, blobs),
        },
        {
          provide: Uploads,
          inject: [EntityManager, BlobStore, ImageCatalog, BlobFiling, StorageQuota],
          useFactory: (
            database: EntityManager,
            store: BlobStore,
            catalog: ImageCatalog,
            filing: BlobFiling,
            quota: StorageQuota,
          ) => new Uploads(database, store, catalog, filing, quota),
        },
        {
          provide: BlobFiling,
          inject: [EntityManager, BlobStore, ImageCatalog],
          useFactory: (database: EntityManager, store: BlobStore, catalog: ImageCatalog) =>
            new BlobFiling(database, store, catalog),
        },
        {
          provide: GarbageCollection,
          inject: [EntityManager, BlobStore, ImageCatalog],
          useFactory: (database: EntityManager, store: BlobStore, catalog: ImageCatalog) =>
            new GarbageCollection(database, store, catalog),
        },
        {
          provide: Scrub,
          inject: [EntityManager, BlobStore, Outbox],
          useFactory: (database: EntityManager, store: BlobStore, outbox: Outbox) =>
            new Scrub(database, store, outbox),
        },
        {
          provide: CacheEviction,
          inject: [EntityManager],
          useFactory: (database: EntityManager) => new CacheEviction(database),
        },
        RetentionRules,
        Retention,
        RetentionRounds,
        Collector,
        Scrubber,
        {
          provide: Housekeeping,
          inject: [Collector, Scrubber, CacheEviction, RetentionRounds, LOGGER],
          useFactory: (
            collector: Collector,
            scrubber: Scrubber,
            eviction: CacheEviction,
            retention: RetentionRounds,
            logger: Logger,
          ) =>
            new Housekeeping(
              { collector, scrubber, eviction, retention },
              env.REGISTRY_CACHE_BYTES ?? null,
              logger,
            ),
        },
        {
          provide: ManifestPushes,
          inject: [ImageCatalog, ManifestStore, BlobStore, StorageQuota],
          useFactory: (
            catalog: ImageCatalog,
            manifests: ManifestStore,
            store: BlobStore,
            quota: StorageQuota,
          ) => new ManifestPushes(catalog, manifests, store, quota),
        },
        {
          provide: ImageResolver,
          inject: [ManifestPulls, BlobPulls],
          useFactory: (manifests: ManifestPulls, blobs: BlobPulls) => new ImageResolver(manifests, blobs),
        },
        Authenticator,
        UploadHandler,
        PullRoutes,
        Referrers,
        DiscoveryRoutes,
        PushRoutes,
        ManifestRemovals,
        ImageRemoval,
        Repositories,
        DeleteRoutes,
        RouteTable,
        RegistryEndpoint,
        UploadSweep,
        StoreShutdown,
      ],
    };
  }
}
