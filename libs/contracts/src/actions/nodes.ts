import { z } from 'zod';
import { defineAction } from './define.js';
import { before, change, read } from './kinds.js';

/** The machines. One joins by the engine's own `docker swarm join`, which no action of the platform does. */
const nodes = { owner: 'scheduler', resource: ['Platform'], permission: 'administer' } as const;
/** `active`: nodes that get instances, without this one. */
const node = { node: z.string(), role: z.string(), active: z.int() };
export const nodeList = defineAction({ name: 'node.list', summary: 'List the nodes', ...read, ...nodes });
export const nodeSet = defineAction({
  name: 'node.set',
  summary: 'Say whether a node gets instances',
  ...change,
  ...nodes,
  context: z.object({ ...node, from: z.string(), availability: z.string() }),
  outcome: z.object({ availability: z.string() }),
});
/** Only before: what has left the swarm cannot be made to join it again from here. */
export const nodeRemove = defineAction({
  name: 'node.remove',
  summary: 'Remove a node that is down',
  ...change,
  ...nodes,
  hooks: before,
  context: z.object({ ...node, state: z.string() }),
});
