import type Docker from 'dockerode';
import type { Removal } from './removal.js';
import type { SwarmObjects } from './swarm-objects.js';

/** What belongs to one engine's swarm, as this installation sees it. */
export interface Swarm {
  docker: Docker;
  objects: SwarmObjects;
  removal: Removal;
  /** host:port of the registry-proxy as the engine sees it. */
  registry: string;
}
