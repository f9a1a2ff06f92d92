import { z } from 'zod';
import { defineAction } from './define.js';
import { InstanceAsRun, InstanceSpec } from './facts.js';
import { both, free, read } from './kinds.js';

/** Instances, and what is at hand while they run: their output. The scheduler owns it. */
const instances = { owner: 'scheduler' } as const;
export const instanceRun = defineAction({
  name: 'instance.run',
  summary: 'Run the containers of a service, within a rollout',
  ...instances,
  ...free,
  hooks: both,
  record: 'change',
  resource: ['Service'],
  permission: 'develop',
  context: InstanceSpec,
  outcome: InstanceAsRun,
});
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
