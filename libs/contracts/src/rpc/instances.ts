import { z } from 'zod';
import { LogLine } from '../instances.js';
import { Id, Name, Timestamp } from '../names.js';
import { InstanceStats } from '../stats.js';
import { defineRpc } from './define.js';

const inEnvironment = z.strictObject({ project: Name, environment: Name });
const logs = inEnvironment.extend({
  stream: Id,
  follow: z.boolean(),
  tail: z.int().min(0).max(10_000).nullable().describe('Of each service at most; null for all since then'),
  since: Timestamp.optional(),
});

export const instancesRpc = {
  /**
   * Starts a stream of log lines: each is published as a `StreamMessage` on `berth.streams.<stream>`, the last one says
   * `end`, and while there is nothing to tell it says `alive` every few seconds. The scheduler stops when it has heard
   * nothing on `berth.streams.<stream>.alive` for 30 seconds.
   */
  streamLogs: defineRpc(
    'scheduler',
    'service.logs',
    logs.extend({ service: Name }),
    z.object({ stream: Id }),
  ),
  /** The same of several services, or of all that the environment has and comes to have. */
  streamEnvironmentLogs: defineRpc(
    'scheduler',
    'environment.logs',
    logs.extend({ services: z.array(Name).nullable() }),
    z.object({ stream: Id }),
  ),
};

export const StreamMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('line'), line: LogLine }),
  z.object({ type: z.literal('stats'), items: z.array(InstanceStats) }),
  z.object({ type: z.literal('alive') }),
  z.object({ type: z.literal('end'), code: z.string().nullable(), detail: z.string().nullable() }),
]);
export type StreamMessage = z.infer<typeof StreamMessage>;
export const streamSubject = (stream: string): string => `berth.streams.${stream}`;
export const streamAliveSubject = (stream: string): string => `berth.streams.${stream}.alive`;
