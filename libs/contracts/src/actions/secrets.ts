import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** Secrets of environments: set and used, never shown. So there is no action that reads a value. */
const secrets = { owner: 'scheduler', resource: ['Environment'] } as const;
export const secretSet = defineAction({
  name: 'secret.set',
  summary: 'Give a secret a value',
  ...change,
  ...secrets,
  permission: 'develop',
  context: z.object({ name: z.string(), size: z.int().describe('Bytes') }),
});
export const secretRemove = defineAction({
  name: 'secret.remove',
  summary: 'Remove a secret that nothing uses',
  ...change,
  ...secrets,
  permission: 'develop',
  context: z.object({ name: z.string() }),
});
export const secretList = defineAction({
  name: 'secret.list',
  summary: 'List the secrets of an environment, without their values',
  ...read,
  ...secrets,
  permission: 'view',
});
