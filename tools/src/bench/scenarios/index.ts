import type { Scenario } from '../scenario.js';
import { deploy } from './deploy.js';
import { redeploy } from './redeploy.js';
import { resource } from './resource.js';
import { scale } from './scale.js';
import { updates } from './updates.js';
import { variable } from './variable.js';

/** In the order in which they run: those that leave much behind come last. */
export const SCENARIOS: readonly Scenario[] = [deploy, resource, updates, redeploy, variable, scale];
