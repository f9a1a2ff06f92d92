import { z } from 'zod';
import { defineAction } from './define.js';
import { change } from './kinds.js';

/**
 * A program that somebody runs in an instance. Recorded twice: when it is let start, and when it has ended. What is typed
 * into it and what it writes is kept nowhere.
 */
export const serviceExec = defineAction({
  name: 'service.exec',
  summary: 'Run a command in an instance of a service',
  ...change,
  owner: 'scheduler',
  resource: ['Service'],
  permission: 'develop',
  context: z.object({
    service: z.string(),
    program: z.string().describe('The first word of the command'),
    command: z.array(z.string()).describe('Its words'),
    line: z.string().describe('The words in one text, with a space between'),
    tty: z.boolean(),
  }),
  outcome: z.object({ instance: z.string(), exitCode: z.int() }),
});
