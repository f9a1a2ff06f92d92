import { z } from 'zod';
import { defineEvent } from './events.js';

/** `pause`: gets no further instances. `drain`: gets none, and those it has start elsewhere. */
export const NodeAvailability = z.enum(['active', 'pause', 'drain']);
export type NodeAvailability = z.infer<typeof NodeAvailability>;

/** What a machine is called in the swarm: its host name, or its id where two have the same. */
export const NodeName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/);

/** A machine whose engine is in the swarm. */
export const Node = z
  .object({
    id: z.string(),
    name: z.string().describe('Its host name'),
    role: z.enum(['manager', 'worker']),
    state: z.enum(['ready', 'down', 'disconnected', 'unknown']),
    message: z.string().nullable().describe('Why it is not ready'),
    availability: NodeAvailability,
    address: z.string(),
    platform: z.object({ os: z.string(), architecture: z.string() }),
    cpu: z.number().describe('Cores'),
    memory: z.int().describe('Bytes'),
    engineVersion: z.string(),
    own: z.boolean().describe('Whether it is the one through which Berth manages the swarm'),
  })
  .meta({ id: 'Node' });
export type Node = z.infer<typeof Node>;

export const SetNode = z.strictObject({ availability: NodeAvailability }).meta({ id: 'SetNode' });
export type SetNode = z.infer<typeof SetNode>;

const told = z.object({ id: z.string(), name: z.string() });
export const nodeSetEvent = defineEvent(
  'node.set.v1',
  'A node was told whether it gets instances.',
  told.extend({ from: NodeAvailability, availability: NodeAvailability }),
);
export const nodeRemovedEvent = defineEvent('node.removed.v1', 'A node was removed from the swarm.', told);
