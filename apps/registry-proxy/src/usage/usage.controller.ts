import { Controller } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { ActionPipeline, Performs } from '@berth/actions';
import {
  actions,
  PLATFORM,
  registryRpc,
  type ReadRegistryUsage,
  type PullSources,
  type RegistryUsage,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PullCounts } from './pull-counts.js';
import { storedBytes } from './stored-bytes.js';

/** What the registry stores, and how much of what is pulled it had. */
@Controller()
export class UsageController {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly counts: PullCounts,
    @InjectEntityManager() private readonly database: EntityManager,
  ) {}

  @Handles(registryRpc.usage)
  @Performs(actions.registryRead)
  read({ days }: ReadRegistryUsage): Promise<RegistryUsage> {
    return this.pipeline.read({ action: actions.registryRead, resource: PLATFORM, context: {} }, async () => {
      const [stored, pulls] = await Promise.all([storedBytes(this.database), this.counts.since(days)]);
      return {
        ...{ days, stored },
        manifests: { ...pulls.manifests, hitRate: hitRate(pulls.manifests) },
        blobs: { ...pulls.blobs, hitRate: hitRate(pulls.blobs) },
      };
    });
  }
}

/** Of what comes from upstreams. */
function hitRate({ cache, stale, upstream }: PullSources): number | null {
  const all = cache + stale + upstream;
  return all === 0 ? null : Number(((cache + stale) / all).toFixed(4));
}
