import { z } from 'zod';
import { defineAction } from './define.js';
import { DeploymentFacts, InstanceFacts, nothing } from './facts.js';
import { both, change, read } from './kinds.js';

/** Projects, environments, releases and deployments: the scheduler owns them. */
const workloads = { owner: 'scheduler' } as const;
export const projectCreate = defineAction({
  name: 'project.create',
  summary: 'Create a project',
  ...workloads,
  ...change,
  resource: ['Team'],
  permission: 'develop',
  context: z.object({ name: z.string() }),
});
export const projectList = defineAction({
  name: 'project.list',
  summary: "List one's projects",
  ...workloads,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const projectRead = defineAction({
  name: 'project.read',
  summary: 'See a project',
  ...workloads,
  ...read,
  resource: ['Project'],
  permission: 'view',
});
export const projectRemove = defineAction({
  name: 'project.remove',
  summary: 'Remove a project that has no environments',
  ...workloads,
  ...change,
  resource: ['Project'],
  permission: 'maintain',
  context: nothing,
});
export const environmentCreate = defineAction({
  name: 'environment.create',
  summary: 'Create an environment',
  ...workloads,
  ...change,
  resource: ['Project'],
  permission: 'develop',
  context: z.object({ name: z.string(), variables: z.array(z.string()), services: z.array(z.string()) }),
});
export const environmentList = defineAction({
  name: 'environment.list',
  summary: 'List the environments of a project',
  ...workloads,
  ...read,
  resource: ['Project'],
  permission: 'view',
});
export const environmentRead = defineAction({
  name: 'environment.read',
  summary: 'See an environment and its variables',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
});
export const environmentUpdate = defineAction({
  name: 'environment.update',
  summary: 'Replace the variables and settings of an environment',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: z.object({ variables: z.array(z.string()), services: z.array(z.string()) }),
});
export const environmentReconcile = defineAction({
  name: 'environment.reconcile',
  summary: 'Say what becomes of what is changed behind Berth',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: z.object({ onDrift: z.string() }),
});
export const environmentMend = defineAction({
  name: 'environment.mend',
  summary: 'Bring back what was rolled out, where it was changed behind Berth',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: nothing,
});
export const environmentRemove = defineAction({
  name: 'environment.remove',
  summary: 'Remove an environment and all that runs in it',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: z.object({ volumes: z.boolean() }),
});
export const deploymentCreate = defineAction({
  name: 'deployment.create',
  summary: 'Roll out a Compose file',
  ...workloads,
  hooks: both,
  consumes: ['cpu', 'memory', 'instances'],
  record: 'change',
  resource: ['Environment'],
  permission: 'develop',
  context: DeploymentFacts,
  outcome: InstanceFacts,
});
export const deploymentPromote = defineAction({
  name: 'deployment.promote',
  summary: 'Roll out the release of another environment',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: z.object({
    ...{ from: z.string(), release: z.string() },
    releasedBy: z.string().describe('Who made that release, by deploying it first'),
  }),
});
export const deploymentRollback = defineAction({
  name: 'deployment.rollback',
  summary: 'Roll out a release that ran before',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: z.object({ release: z.string() }),
});
export const deploymentPlan = defineAction({
  name: 'deployment.plan',
  summary: 'See what a deploy would change',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
});
export const environmentCompare = defineAction({
  name: 'environment.compare',
  summary: 'See how what runs differs from another environment or release',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
  context: z.object({ with: z.string() }),
});
export const environmentReview = defineAction({
  name: 'environment.review',
  summary: 'See what runs that policy would deny today',
  ...workloads,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const configurationList = defineAction({
  name: 'configuration.list',
  summary: 'List the versions of the variables and settings of an environment',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
});
export const serviceScale = defineAction({
  name: 'service.scale',
  summary: 'Change how many instances of a service run',
  ...workloads,
  ...change,
  resource: ['Service'],
  permission: 'develop',
  context: z.object({ replicas: z.int() }),
});
export const serviceStop = defineAction({
  name: 'service.stop',
  summary: 'Stop all instances of a service; asked as well where another action scales one to none',
  ...workloads,
  ...change,
  resource: ['Service'],
  permission: 'develop',
  context: nothing,
});
export const serviceRestart = defineAction({
  name: 'service.restart',
  summary: 'Replace the instances of a service by new ones',
  ...workloads,
  ...change,
  resource: ['Service'],
  permission: 'develop',
  context: nothing,
});
export const deploymentList = defineAction({
  name: 'deployment.list',
  summary: 'List the deployments of an environment',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
});
export const deploymentRead = defineAction({
  name: 'deployment.read',
  summary: 'See or follow a deployment',
  ...workloads,
  ...read,
  resource: ['Deployment'],
  permission: 'view',
});
export const deploymentCancel = defineAction({
  name: 'deployment.cancel',
  summary: 'Cancel a deployment under way',
  ...workloads,
  ...change,
  resource: ['Deployment'],
  permission: 'develop',
  context: nothing,
});
export const releaseList = defineAction({
  name: 'release.list',
  summary: 'List the releases of an environment',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
});
export const serviceList = defineAction({
  name: 'service.list',
  summary: 'See what runs in an environment',
  ...workloads,
  ...read,
  resource: ['Environment'],
  permission: 'view',
});
