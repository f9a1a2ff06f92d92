import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Public } from '@berth/actions';
import { quotaRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { LimitStore } from './limit-store.js';

/** The limit that a push is held against, for the registry, which counts what is stored. */
@Controller()
@Public('asked by the registry for a push that policy has allowed; NATS lets services only publish here')
export class StorageLimitController {
  constructor(private readonly limits: LimitStore) {}

  @Handles(quotaRpc.storageLimit)
  async limit({
    team,
  }: z.infer<typeof quotaRpc.storageLimit.request>): Promise<z.infer<typeof quotaRpc.storageLimit.response>> {
    return { bytes: await this.limits.storageLimit(team) };
  }
}
