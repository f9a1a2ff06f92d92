import { Inject, Injectable } from '@nestjs/common';
import { type PolicyScope, schedulerRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';

/** A project or environment that is not there is a slip, and a rule that holds nowhere. Policy knows the teams itself. */
@Injectable()
export class KnownScopes {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  /** Throws NOT_FOUND, as for whoever may not see it. */
  async refuseUnknown(scopes: readonly PolicyScope[]): Promise<void> {
    for (const scope of scopes) {
      const [kind, name] = scope.split('/');
      if (kind === 'projects') await this.rpc.call(schedulerRpc.getProject, { project: name });
      if (kind !== 'environments') continue;
      const [project, environment] = name.split('.');
      await this.rpc.call(schedulerRpc.getEnvironment, { project, environment });
    }
  }
}
