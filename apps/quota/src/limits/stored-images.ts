import { Inject, Injectable } from '@nestjs/common';
import { formatBytes, registryRpc, type Quota } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';

/** What the images of teams take, which the registry counts where they are. See ADR 0029. */
@Injectable()
export class StoredImages {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Quotas with it; without, while the registry does not answer: the rest of them is true all the same. */
  async addTo(quotas: readonly Quota[]): Promise<Quota[]> {
    const teams = quotas.filter(({ scope }) => scope === 'teams').map(({ name }) => name);
    const stored = teams.length === 0 ? {} : await this.storedBy(teams);
    return quotas.map((quota) => {
      const bytes = quota.scope === 'teams' ? stored[quota.name] : undefined;
      return bytes === undefined ? quota : { ...quota, used: { ...quota.used, storage: formatBytes(bytes) } };
    });
  }

  private async storedBy(teams: string[]): Promise<Record<string, number>> {
    try {
      return (await this.rpc.call(registryRpc.storage, { teams })).used;
    } catch (error) {
      this.logger.warn({ err: error }, 'storage.unknown');
      return {};
    }
  }
}
