import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Public } from '@berth/actions';
import { registryRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { StorageQuota } from './storage-quota.js';

/** What teams store, for the quota service, which tells it beside the limit. */
@Controller()
@Public(
  'asked by the quota service for quota.read, which policy has allowed; NATS lets services only publish here',
)
export class StorageController {
  constructor(private readonly storage: StorageQuota) {}

  @Handles(registryRpc.storage)
  async used({
    teams,
  }: z.infer<typeof registryRpc.storage.request>): Promise<z.infer<typeof registryRpc.storage.response>> {
    return { used: await this.storage.used(teams) };
  }
}
