import { z } from 'zod';
import { Problem } from './errors.js';

const MOST_WORDS = 100;
const MOST_CHARACTERS = 8_192;

/** A program and its arguments, as they are; no shell reads them. */
export const CommandLine = z
  .array(z.string())
  .min(1)
  .max(MOST_WORDS)
  .refine(([program]) => program !== '', { error: 'must begin with a program' })
  .refine((words) => words.join(' ').length <= MOST_CHARACTERS, {
    error: `${MOST_CHARACTERS} characters at most`,
  });

export const TerminalSize = z.object({ columns: z.int().min(1).max(2_000), rows: z.int().min(1).max(2_000) });
export type TerminalSize = z.infer<typeof TerminalSize>;

const side = z.coerce.number().pipe(z.int().min(1).max(2_000));

/** `?command=ls&command=-l`: a word each. */
export const ExecOptions = z.strictObject({
  command: z
    .union([z.string().transform((word) => [word]), z.array(z.string())])
    .pipe(CommandLine)
    .describe('The program and its arguments, a word each. It is recorded: put no secret in it'),
  instance: z
    .string()
    .regex(/^[a-z0-9]{3,40}$/)
    .optional()
    .describe('Its id, or the first characters of it; any that runs when left out'),
  tty: z.stringbool().or(z.boolean()).default(false).describe('Whether the program is given a terminal'),
  columns: side.default(80),
  rows: side.default(24),
});

/** What a client says in text messages. What it types are binary ones. */
export const ExecRequest = z.discriminatedUnion('type', [
  TerminalSize.extend({ type: z.literal('resize') }),
  z.object({ type: z.literal('end') }),
]);
export type ExecRequest = z.infer<typeof ExecRequest>;

/** The last word to a client, in a text message. What the program writes are binary ones. */
export const ExecEnd = z.discriminatedUnion('type', [
  z.object({ type: z.literal('exit'), code: z.int() }),
  z.object({ type: z.literal('error'), problem: Problem }),
]);
export type ExecEnd = z.infer<typeof ExecEnd>;

export const ExecChannel = z.enum(['stdout', 'stderr']);
export type ExecChannel = z.infer<typeof ExecChannel>;
/** The first byte of each binary message to a client says where the rest was written. */
export const EXEC_CHANNEL_BYTES = { stdout: 1, stderr: 2 } as const satisfies Record<ExecChannel, number>;
