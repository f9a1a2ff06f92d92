import type { Grant } from '@berth/actions';
import type { ActionDefinition, DeploymentCause } from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';
import type { Settings } from '../environments/configuration.entity.js';
import type { Source } from './preparation.js';

/** The action that asks for a deployment, where that is not `deployment.create` itself: allowed, and recorded with it. */
export interface Asked {
  action: ActionDefinition;
  grant: Grant;
}

export interface Wanted {
  cause: DeploymentCause;
  source: Source;
  /** The environment's settings from then on; the present ones when left out. */
  settings?: Settings;
  asked?: Asked;
  /** What is to run, as it was written down before; rendered anew when left out. */
  spec?: RunSpec;
  /** Volumes to remove once nothing uses them any more. */
  discards?: string[];
}
