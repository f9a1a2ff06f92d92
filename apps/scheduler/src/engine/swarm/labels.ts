import type { EnvironmentRef, Rollout } from '../container-engine.js';

/** Labels on all that Berth makes in the engine. Nothing without `installation` of ours is ever touched. */
export const LABEL = {
  installation: 'berth.installation',
  project: 'berth.project',
  environment: 'berth.environment',
  service: 'berth.service',
  release: 'berth.release',
  deployment: 'berth.deployment',
  /** On services: hash of what their containers are made from, so that what has not changed is left running. */
  template: 'berth.template',
  /** In place of `installation` on what all builds share, and no environment has. */
  builds: 'berth.builds',
} as const;

export function environmentLabels(installation: string, target: EnvironmentRef): Record<string, string> {
  return {
    [LABEL.installation]: installation,
    [LABEL.project]: target.project,
    [LABEL.environment]: target.environment,
  };
}

export function rolloutLabels({
  release,
  deployment,
}: Pick<Rollout, 'release' | 'deployment'>): Record<string, string> {
  return { [LABEL.release]: release, [LABEL.deployment]: deployment };
}

/** As the engine's `filters` take them. */
export function labelFilter(labels: Record<string, string>): { label: string[] } {
  return { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) };
}
