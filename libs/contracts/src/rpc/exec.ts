import { z } from 'zod';
import { CommandLine, TerminalSize } from '../exec.js';
import { Id, Name } from '../names.js';
import { defineRpc } from './define.js';

export const execRpc = {
  /**
   * Runs a command in an instance. What it writes comes through a pipe (`PipeMessage`) of which the caller holds the other
   * end, so it has to listen before it asks; the last note is an `ExecEnd`. What is typed goes in through the same pipe;
   * its notes are `ExecRequest`s.
   */
  start: defineRpc(
    'scheduler',
    'service.exec',
    z.strictObject({
      project: Name,
      environment: Name,
      service: Name,
      stream: Id,
      command: CommandLine,
      instance: z.string().nullable(),
      terminal: TerminalSize.nullable(),
    }),
    z.object({ instance: z.string() }),
    15_000,
  ),
};
