import { z } from 'zod';
import { defineAction } from './define.js';
import { read } from './kinds.js';

export const serviceStats = defineAction({
  name: 'service.stats',
  summary: 'See what instances use; of an environment, it is asked for each of its services as well',
  ...read,
  owner: 'scheduler',
  resource: ['Environment', 'Service'],
  permission: 'view',
  context: z.object({ follow: z.boolean() }),
});
