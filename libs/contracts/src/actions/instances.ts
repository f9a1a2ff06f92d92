import { z } from 'zod';
import { defineAction } from './define.js';
import { read } from './kinds.js';

/** What is at hand while instances run: their output. The scheduler owns it. */
const instances = { owner: 'scheduler' } as const;
export const serviceLogs = defineAction({
  name: 'service.logs',
  summary: 'Read the output of a service',
  ...instances,
  ...read,
  resource: ['Service'],
  permission: 'view',
  context: z.object({ follow: z.boolean() }),
});
export const environmentLogs = defineAction({
  name: 'environment.logs',
  summary: 'Read the output of several services; `service.logs` is asked of each as well',
  ...instances,
  ...read,
  resource: ['Environment'],
  permission: 'view',
  context: z.object({ follow: z.boolean() }),
});
