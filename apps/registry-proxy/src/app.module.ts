import { type DynamicModule, Module } from '@nestjs/common';
import { ActionsModule, checkMediation } from '@berth/actions';
import { CreateOutbox1700000000000, MessagingModule, serveRpc } from '@berth/messaging';
import { DatabaseModule, RuntimeModule, type ServiceOptions } from '@berth/runtime';
import { ENTITIES } from './catalog/entities.js';
import type { RegistryEnv } from './env.js';
import { serveRegistry } from './http/serve-registry.js';
import { Registry1763900000001 } from './migrations/1763900000001-registry.js';
import { Referrers1763900000002 } from './migrations/1763900000002-referrers.js';
import { CatalogNotices1763900000003 } from './migrations/1763900000003-catalog-notices.js';
import { BlobFetches1763900000004 } from './migrations/1763900000004-blob-fetches.js';
import { Upkeep1763900000005 } from './migrations/1763900000005-upkeep.js';
import { Upstreams1763900000006 } from './migrations/1763900000006-upstreams.js';
import { TeamStorage1763900000007 } from './migrations/1763900000007-team-storage.js';
import { StoredBlobs1763900000010 } from './migrations/1763900000010-stored-blobs.js';
import { PullCounts1763900000009 } from './migrations/1763900000009-pull-counts.js';
import { Retention1763900000008 } from './migrations/1763900000008-retention.js';
import { RegistryModule } from './registry.module.js';

/** An OCI registry: hosted images, and the rest of the world through a cache. */
@Module({})
export class AppModule {
  static forEnv(env: RegistryEnv): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RuntimeModule.forService('registry-proxy', env),
        DatabaseModule.forService({
          service: 'registry-proxy',
          env,
          entities: ENTITIES,
          migrations: [
            CreateOutbox1700000000000,
            Registry1763900000001,
            Referrers1763900000002,
            CatalogNotices1763900000003,
            BlobFetches1763900000004,
            Upkeep1763900000005,
            Upstreams1763900000006,
            TeamStorage1763900000007,
            Retention1763900000008,
            PullCounts1763900000009,
            StoredBlobs1763900000010,
          ],
        }),
        MessagingModule.forService({ service: 'registry-proxy', env, outbox: true }),
        ActionsModule.forService(),
        RegistryModule.forService(env),
      ],
    };
  }
}

/** The service as `startService` and tests start it. */
export function registryProxyService(env: RegistryEnv): ServiceOptions {
  return {
    name: 'registry-proxy',
    module: AppModule.forEnv(env),
    env,
    prepare: [serveRegistry, checkMediation, serveRpc],
  };
}
