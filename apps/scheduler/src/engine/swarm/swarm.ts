import type Docker from 'dockerode';
import type { Removal } from './removal.js';
import type { SwarmObjects } from './swarm-objects.js';
import type { SwarmSecrets } from './swarm-secrets.js';

/** What belongs to one engine's swarm, as this installation sees it. */
export interface Swarm {
  docker: Docker;
  objects: SwarmObjects;
  removal: Removal;
  secrets: SwarmSecrets;
  /** host:port of the registry-proxy as the engine sees it. */
  registry: string;
  /** Where instances ask about their environment; left out where they can't. */
  metadataUrl?: string;
}
