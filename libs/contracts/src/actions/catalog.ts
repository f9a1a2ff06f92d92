import { z } from 'zod';
import { defineAction } from './define.js';
import { DeploymentFacts, InstanceFacts, nothing } from './facts.js';

const before = ['before'] as const;
const both = ['before', 'after'] as const;
const free = { consumes: [], outcome: nothing } as const;
const change = { ...free, hooks: both, record: 'change' } as const;
const read = { ...free, hooks: before, record: 'read', context: nothing } as const;

// Identity: policy owns users, teams and tokens.
const identity = { owner: 'policy' } as const;
export const userCreate = defineAction({
  name: 'user.create',
  summary: 'Create a user or a service account',
  ...identity,
  ...change,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({ name: z.string(), kind: z.string(), admin: z.boolean() }),
});
export const userList = defineAction({
  name: 'user.list',
  summary: 'List users',
  ...identity,
  ...read,
  resource: ['Platform'],
  permission: 'administer',
});
export const whoami = defineAction({
  name: 'user.whoami',
  summary: 'See who one is',
  ...identity,
  ...read,
  resource: ['User'],
  permission: 'self',
});
export const teamCreate = defineAction({
  name: 'team.create',
  summary: 'Create a team',
  ...identity,
  ...change,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({ name: z.string() }),
});
export const teamList = defineAction({
  name: 'team.list',
  summary: "List one's teams",
  ...identity,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const teamRead = defineAction({
  name: 'team.read',
  summary: 'See a team',
  ...identity,
  ...read,
  resource: ['Team'],
  permission: 'view',
});
export const memberList = defineAction({
  name: 'member.list',
  summary: 'List the members of a team',
  ...identity,
  ...read,
  resource: ['Team'],
  permission: 'view',
});
export const memberSet = defineAction({
  name: 'member.set',
  summary: 'Add a member or change a role',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ user: z.string(), role: z.string() }),
});
export const memberRemove = defineAction({
  name: 'member.remove',
  summary: 'Remove a member',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ user: z.string() }),
});
export const tokenCreate = defineAction({
  name: 'token.create',
  summary: 'Issue a token',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'self',
  context: z.object({ scopes: z.array(z.string()), expiresInSeconds: z.int() }),
});
export const tokenList = defineAction({
  name: 'token.list',
  summary: "List a user's tokens",
  ...identity,
  ...read,
  resource: ['User'],
  permission: 'self',
});
export const tokenRevoke = defineAction({
  name: 'token.revoke',
  summary: 'Revoke a token',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'self',
  context: z.object({ tokenId: z.string() }),
});
export const authenticationFail = defineAction({
  name: 'authentication.fail',
  summary: 'A token that is unknown, expired or revoked was used',
  ...identity,
  ...free,
  hooks: [],
  record: 'change',
  resource: ['Platform'],
  permission: 'anyone',
  context: z.object({ tokenId: z.string().optional() }),
});

// Policies.
export const policyList = defineAction({
  name: 'policy.list',
  summary: 'List policies',
  ...identity,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const policyRead = defineAction({
  name: 'policy.read',
  summary: 'See a policy',
  ...identity,
  ...read,
  resource: ['Policy'],
  permission: 'anyone',
});
export const policyApply = defineAction({
  name: 'policy.apply',
  summary: 'Create or replace a policy',
  ...identity,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string(), effect: z.string() }),
});
export const policyRemove = defineAction({
  name: 'policy.remove',
  summary: 'Remove a policy',
  ...identity,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string() }),
});

// Workloads: the scheduler owns projects, environments, releases and deployments.
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
  context: z.object({ name: z.string(), variables: z.array(z.string()) }),
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
  summary: 'Replace the variables of an environment',
  ...workloads,
  ...change,
  resource: ['Environment'],
  permission: 'develop',
  context: z.object({ variables: z.array(z.string()) }),
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
export const serviceLogs = defineAction({
  name: 'service.logs',
  summary: 'Read the output of a service',
  ...workloads,
  ...read,
  resource: ['Service'],
  permission: 'view',
  context: z.object({ follow: z.boolean() }),
});

// Images: registry-proxy.
const images = { owner: 'registry-proxy' } as const;
const ImageFacts = z.object({
  registry: z.string(),
  repository: z.string(),
  reference: z.string().describe('Tag or digest'),
});
export const imagePull = defineAction({
  name: 'image.pull',
  summary: 'Pull an image, or resolve its tag',
  ...images,
  ...read,
  resource: ['Image'],
  permission: 'view',
  context: ImageFacts,
});
export const imagePush = defineAction({
  name: 'image.push',
  summary: 'Push an image',
  ...images,
  ...change,
  resource: ['Image'],
  permission: 'develop',
  context: ImageFacts,
  outcome: z.object({ digest: z.string(), mediaType: z.string(), size: z.int() }),
});
export const imageList = defineAction({
  name: 'image.list',
  summary: 'List the tags of a repository',
  ...images,
  ...read,
  resource: ['Image'],
  permission: 'view',
  context: z.object({ registry: z.string(), repository: z.string() }),
});

// Quota.
const quotas = { owner: 'quota' } as const;
const quotaResources = ['Team', 'User', 'Project', 'Environment'] as const;
export const quotaList = defineAction({
  name: 'quota.list',
  summary: 'List limits',
  ...quotas,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const quotaRead = defineAction({
  name: 'quota.read',
  summary: 'See limits and what is used of them',
  ...quotas,
  ...read,
  resource: quotaResources,
  permission: 'view',
});
export const quotaSet = defineAction({
  name: 'quota.set',
  summary: 'Set limits',
  ...quotas,
  ...change,
  resource: quotaResources,
  permission: 'administer',
  context: z.object({
    cpuMillis: z.int().optional(),
    memoryBytes: z.int().optional(),
    instances: z.int().optional(),
  }),
});

// Audit.
export const auditRead = defineAction({
  name: 'audit.read',
  summary: 'Read the audit log',
  owner: 'audit',
  ...read,
  resource: ['Platform', 'Team'],
  permission: 'view',
});
