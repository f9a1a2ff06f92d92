import { z } from 'zod';
import { Name, Timestamp } from './names.js';

export const LogLine = z
  .object({
    time: Timestamp.nullable(),
    service: Name,
    instance: z.string(),
    stream: z.enum(['stdout', 'stderr']),
    line: z.string(),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.infer<typeof LogLine>;

export const LogOptions = z.strictObject({
  follow: z.stringbool().or(z.boolean()).default(false),
  tail: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(100)
    .describe('Lines of the past of each service at most'),
  since: Timestamp.optional(),
});

const MOST_NAMED = 50;

/** One name as `?service=web`, several as `?service=web&service=db`. */
const Named = z
  .union([Name.transform((name) => [name]), z.array(Name).min(1).max(MOST_NAMED)])
  .optional()
  .describe('These services only; all of the environment when left out');

export const EnvironmentLogOptions = LogOptions.extend({ service: Named });
