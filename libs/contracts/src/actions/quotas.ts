import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** Limits. */
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
    storageBytes: z.int().optional(),
  }),
});
