import { z } from 'zod';

/**
 * One message of a pipe between two services. Data and notes are counted by their sender, so that a loss is seen; `taken`
 * makes room for more data; who says `gone` has left before its last note.
 */
export const PipeMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('data'), sequence: z.int(), channel: z.string(), base64: z.string() }),
  z.object({ type: z.literal('note'), sequence: z.int(), note: z.unknown(), last: z.boolean() }),
  z.object({ type: z.literal('taken'), bytes: z.int() }),
  z.object({ type: z.literal('alive') }),
  z.object({ type: z.literal('gone') }),
]);
export type PipeMessage = z.infer<typeof PipeMessage>;

/** Of the pipe of a stream: what goes to the service that serves it. The other way is `streamSubject`. */
export const streamInputSubject = (stream: string): string => `berth.streams.${stream}.input`;
