import { z } from 'zod';
import { BuildOptions } from '../builds.js';
import { Id, Name } from '../names.js';
import { defineRpc } from './define.js';

/** How long a context may be under way, with what is looked up for it: the bus lets a question wait for five minutes. */
const CONTEXT_PATIENCE_MS = 280_000;

export const buildRpc = {
  /**
   * Answers when a build was let begin. Before that the context goes in through a pipe (`PipeMessage`) of which the caller holds the
   * other end, so it has to listen before it asks: from the note `ready` on, until a note of its own says that the context is whole.
   * Lines of the log come back, and last a `BuildNote`.
   */
  start: defineRpc(
    'scheduler',
    'image.build',
    z.strictObject({ project: Name, stream: Id, options: BuildOptions }),
    z.object({}),
    CONTEXT_PATIENCE_MS,
  ),
};
