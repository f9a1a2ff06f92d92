import { z } from 'zod';
import { Id, Name } from '../names.js';
import { defineRpc } from './define.js';

export const statsRpc = {
  /**
   * Starts a stream of what instances use, as `instancesRpc.streamLogs` does of lines: a `stats` message at each look, and
   * after the first one `end` unless it is to be followed.
   */
  stream: defineRpc(
    'scheduler',
    'service.stats',
    z.strictObject({
      project: Name,
      environment: Name,
      services: z.array(Name).nullable().describe('Null for all, and those that come'),
      stream: Id,
      follow: z.boolean(),
    }),
    z.object({ stream: Id }),
  ),
};
