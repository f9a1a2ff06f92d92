import type { Rollout } from '../container-engine.js';
import { generationName, type Surroundings } from './service-template.js';
import type { Swarm } from './swarm.js';

/**
 * What a rollout wants in the swarm: one Swarm service for each service, named after what its containers are made from.
 * Others of the same service are of releases before, or of one that is being taken back.
 */
export class Generations {
  /** Names of the wanted Swarm services, by service. */
  readonly names: ReadonlyMap<string, string>;
  private readonly wanted: ReadonlySet<string>;

  constructor(
    rollout: Rollout,
    readonly surroundings: Surroundings,
  ) {
    this.names = new Map(
      Object.keys(rollout.spec.services).map((name) => [name, generationName(rollout, name, surroundings)]),
    );
    this.wanted = new Set(this.names.values());
  }

  static async of(swarm: Swarm, rollout: Rollout): Promise<Generations> {
    const networkId = await swarm.objects.ensureNetwork(rollout.target);
    const { installation } = swarm.objects;
    const { registry, metadataUrl } = swarm;
    return new Generations(rollout, { installation, registry, networkId, metadataUrl });
  }

  /** Whether the rollout wants this Swarm service. */
  has(swarmName: string): boolean {
    return this.wanted.has(swarmName);
  }
}
