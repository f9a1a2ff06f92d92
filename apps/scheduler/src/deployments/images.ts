import { Inject, Injectable } from '@nestjs/common';
import { BerthError, registryRpc, type ResolvedImage } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { ComposeSpec, ReleasedImage } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';

/** Finds the images of a Compose file in the registry-proxy, as the one who asks. */
@Injectable()
export class Images {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  /** By name of the service. Throws what the registry-proxy says of the first that is not to be had. */
  async resolve(spec: ComposeSpec): Promise<Record<string, ReleasedImage>> {
    const platform = await this.engine.platform();
    const byReference = new Map<string, Promise<ResolvedImage>>();
    const found = await Promise.all(
      Object.entries(spec.services).map(async ([name, { image: reference }]) => {
        const asked =
          byReference.get(reference) ?? this.rpc.call(registryRpc.resolve, { reference, platform });
        byReference.set(reference, asked);
        const image = await asked.catch((error: unknown) => rethrow(name, error));
        return [name, released(image)] as const;
      }),
    );
    return Object.fromEntries(found);
  }
}

function released({ reference, repository, digest, config }: ResolvedImage): ReleasedImage {
  return { reference, repository, digest, user: config.user, hasHealthcheck: config.hasHealthcheck };
}

function rethrow(service: string, error: unknown): never {
  if (!(error instanceof BerthError)) throw error;
  throw new BerthError(error.code, `Service "${service}": ${error.message}`, {
    ...error.extensions,
    service,
  });
}

/** Waiting for the health of a service that has no health check would never end. */
export function checkHealthConditions(
  spec: Pick<ComposeSpec, 'services'>,
  images: Readonly<Record<string, Pick<ReleasedImage, 'hasHealthcheck'>>>,
): void {
  for (const [name, { dependsOn }] of Object.entries(spec.services)) {
    for (const [other, condition] of Object.entries(dependsOn)) {
      const { healthcheck } = spec.services[other];
      const checked = healthcheck?.test ? healthcheck.test[0] !== 'NONE' : images[other].hasHealthcheck;
      if (condition !== 'healthy' || checked) continue;
      const path = `services.${name}.depends_on.${other}.condition`;
      const message = `"service_healthy" needs a health check, and neither "${other}" nor its image has one`;
      throw new BerthError('COMPOSE_INVALID', `${path}: ${message}`, {
        problems: [{ code: 'COMPOSE_INVALID', line: 1, column: 1, path, message }],
      });
    }
  }
}
