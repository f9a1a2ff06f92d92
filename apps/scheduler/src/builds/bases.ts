import { Inject, Injectable } from '@nestjs/common';
import { registryRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';
import type { FoundBase } from './build-facts.js';
import { refuseTriggers } from './build-plan.js';

/** Finds the images that a build starts or copies from in the registry-proxy, each as `image.pull` of the one who asks. */
@Injectable()
export class Bases {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  /** `linux/amd64`: what is built for. */
  async platform(): Promise<string> {
    const { os, architecture } = await this.engine.platform();
    return `${os}/${architecture}`;
  }

  /** Throws what the registry-proxy says of the first that is not to be had. */
  async find(references: readonly string[]): Promise<FoundBase[]> {
    const platform = await this.engine.platform();
    return Promise.all(
      references.map(async (reference) => {
        const { repository, digest, config } = await this.rpc.call(registryRpc.resolve, {
          reference,
          platform,
        });
        refuseTriggers(reference, config.onBuild ?? []);
        return { reference, repository, digest };
      }),
    );
  }
}
