import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** Backing services of environments, and the catalog that they are made from. */
const resources = { owner: 'scheduler', resource: ['Environment'] } as const;
const catalog = { owner: 'scheduler', resource: ['Team'] } as const;
const named = z.object({ name: z.string() });

export const catalogList = defineAction({
  name: 'catalog.list',
  summary: 'See the catalog of resources',
  ...read,
  ...catalog,
  permission: 'view',
});
export const catalogSet = defineAction({
  name: 'catalog.set',
  summary: "Add an entry to a team's catalog, or replace it",
  ...change,
  ...catalog,
  permission: 'maintain',
  context: z.object({ name: z.string(), image: z.string() }),
});
export const catalogRemove = defineAction({
  name: 'catalog.remove',
  summary: "Remove an entry from a team's catalog",
  ...change,
  ...catalog,
  permission: 'maintain',
  context: named,
});
export const resourceAdd = defineAction({
  name: 'resource.add',
  summary: 'Add a resource to an environment',
  ...change,
  ...resources,
  permission: 'develop',
  context: z.object({ name: z.string(), entry: z.string(), version: z.string() }),
});
export const resourceList = defineAction({
  name: 'resource.list',
  summary: 'List the resources of an environment',
  ...read,
  ...resources,
  permission: 'view',
});
export const resourceRead = defineAction({
  name: 'resource.read',
  summary: 'See a resource, without its credentials',
  ...read,
  ...resources,
  permission: 'view',
  context: named,
});
export const resourceRemove = defineAction({
  name: 'resource.remove',
  summary: 'Remove a resource that nothing uses',
  ...change,
  ...resources,
  permission: 'develop',
  context: z.object({ name: z.string(), data: z.boolean().describe('With all that it holds') }),
});
export const resourceRotate = defineAction({
  name: 'resource.rotate',
  summary: 'Give a resource new credentials',
  ...change,
  ...resources,
  permission: 'develop',
  context: named,
});
export const resourceUpgrade = defineAction({
  name: 'resource.upgrade',
  summary: 'Bring a resource to another version',
  ...change,
  ...resources,
  permission: 'develop',
  context: z.object({ name: z.string(), from: z.string(), to: z.string() }),
});
export const resourceBackup = defineAction({
  name: 'resource.backup',
  summary: 'Back a resource up',
  ...change,
  ...resources,
  permission: 'develop',
  context: named,
});
export const resourceRestore = defineAction({
  name: 'resource.restore',
  summary: 'Bring a resource back to what a backup holds',
  ...change,
  ...resources,
  permission: 'develop',
  context: z.object({ name: z.string(), backup: z.string() }),
});
export const resourceOperations = defineAction({
  name: 'resource.operations',
  summary: 'See the backups of a resource, and what became of them',
  ...read,
  ...resources,
  permission: 'view',
  context: named,
});
