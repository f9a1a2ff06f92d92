import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** The rules themselves. */
const policies = { owner: 'policy' } as const;
export const policyList = defineAction({
  name: 'policy.list',
  summary: 'List policies',
  ...policies,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const policyRead = defineAction({
  name: 'policy.read',
  summary: 'See a policy',
  ...policies,
  ...read,
  resource: ['Policy'],
  permission: 'anyone',
});
export const policyApply = defineAction({
  name: 'policy.apply',
  summary: 'Create or replace a policy',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string(), effect: z.string() }),
});
export const policyRemove = defineAction({
  name: 'policy.remove',
  summary: 'Remove a policy',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string() }),
});
