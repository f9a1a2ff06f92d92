import type { ResourceType } from '@berth/contracts';

/** Whether the resources of a type have an attribute: always, sometimes (`has` it, then), or never. */
export type Presence = 'always' | 'sometimes' | 'never';

export interface ResourceShape {
  readonly team: Presence;
  readonly project: Presence;
  readonly environment: Presence;
  /** What a resource of this type is `in`, in Cedar's sense. */
  readonly within: readonly ('Team' | 'Project' | 'Environment')[];
}

const unowned = { team: 'never', project: 'never', environment: 'never', within: [] } as const;
const inEnvironment = {
  team: 'always',
  project: 'always',
  environment: 'always',
  within: ['Environment', 'Project', 'Team'],
} as const;

/**
 * Where the resources of each type stand. A hosted image belongs to a team, one that was pulled through from an upstream
 * to nobody, hence `sometimes`.
 */
export const RESOURCE_SHAPES: Readonly<Record<ResourceType, ResourceShape>> = {
  Platform: unowned,
  User: unowned,
  Policy: unowned,
  AuditLog: { ...unowned, team: 'sometimes', within: ['Team'] },
  Team: { ...unowned, team: 'always' },
  Project: { ...unowned, team: 'always', project: 'always', within: ['Team'] },
  Environment: { ...inEnvironment, within: ['Project', 'Team'] },
  Service: inEnvironment,
  Deployment: inEnvironment,
  Image: { ...unowned, team: 'sometimes', within: ['Team'] },
  Quota: {
    team: 'sometimes',
    project: 'sometimes',
    environment: 'sometimes',
    within: ['Environment', 'Project', 'Team'],
  },
};
