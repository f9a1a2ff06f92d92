import { Inject, Injectable } from '@nestjs/common';
import { BerthError, registryRpc, type ResolvedImage } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { ComposeSpec } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';

/** Finds the images of a Compose file in the registry-proxy, as the one who asks. */
@Injectable()
export class Images {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  /** By name of the service, for an engine that is ready. Throws ENGINE_UNAVAILABLE, or what the registry-proxy says of the first that is not to be had. */
  async resolve(spec: ComposeSpec): Promise<Map<string, ResolvedImage>> {
    const [platform] = await Promise.all([this.engine.platform(), this.engine.prepare()]);
    const byReference = new Map<string, Promise<ResolvedImage>>();
    const found = await Promise.all(
      Object.entries(spec.services).map(async ([name, { image: reference }]) => {
        const asked =
          byReference.get(reference) ?? this.rpc.call(registryRpc.resolve, { reference, platform });
        byReference.set(reference, asked);
        return [name, await asked.catch((error: unknown) => rethrow(name, error))] as const;
      }),
    );
    const images = new Map(found);
    checkHealthConditions(spec, images);
    return images;
  }
}

function rethrow(service: string, error: unknown): never {
  if (!(error instanceof BerthError)) throw error;
  throw new BerthError(error.code, `Service "${service}": ${error.message}`, {
    ...error.extensions,
    service,
  });
}

/** Waiting for the health of a service that has no health check would never end. */
function checkHealthConditions(spec: ComposeSpec, images: ReadonlyMap<string, ResolvedImage>): void {
  for (const [name, { dependsOn }] of Object.entries(spec.services)) {
    for (const [other, condition] of Object.entries(dependsOn)) {
      const { healthcheck } = spec.services[other];
      const checked = healthcheck?.test
        ? healthcheck.test[0] !== 'NONE'
        : (images.get(other)?.config.hasHealthcheck ?? false);
      if (condition !== 'healthy' || checked) continue;
      const path = `services.${name}.depends_on.${other}.condition`;
      const message = `"service_healthy" needs a health check, and neither "${other}" nor its image has one`;
      throw new BerthError('COMPOSE_INVALID', `${path}: ${message}`, {
        problems: [{ code: 'COMPOSE_INVALID', line: 1, column: 1, path, message }],
      });
    }
  }
}
