import { z } from 'zod';
import { Digest } from './names.js';
import { Problem } from './errors.js';

/** The media type of a build context: a tar archive (POSIX.1, pax), not compressed. */
export const CONTEXT_MEDIA_TYPE = 'application/x-tar';

const PATH = /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\0]{1,1024}$/;

/** `NAME=value`, as `--build-arg` of docker has it. */
const BuildArgument = z
  .string()
  .max(8_192)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*=/, { error: 'must be NAME=value' });

const listOf = (item: z.ZodString) =>
  z.union([item.transform((one) => [one]), z.array(item).max(100)]).default([]);

/** How an image is built; all of it stands in the query, for the body is the context. */
export const BuildOptions = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/, {
      error: 'must be a part of a repository name: a-z, 0-9 and . _ - between them',
    })
    .max(64)
    .optional()
    .describe('Of the image within the project: `<team>/<project>/<name>`; `<team>/<project>` when left out'),
  tag: z
    .string()
    .regex(/^\w[\w.-]{0,127}$/, { error: 'must be a tag: letters, digits, _ . and -, 128 at most' })
    .default('latest'),
  dockerfile: z
    .string()
    .regex(PATH, { error: 'must be a path within the context' })
    .default('Dockerfile')
    .describe('Where it is in the context'),
  target: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,127}$/, { error: 'must be the name or the number of a stage' })
    .optional()
    .describe('The stage that is wanted; the last when left out'),
  arg: listOf(BuildArgument).describe(
    '`NAME=value` of an ARG, any number of times. They stay in the history of the image: put no secret in them',
  ),
  cache: z
    .stringbool()
    .or(z.boolean())
    .default(true)
    .describe('Whether layers of earlier builds may be used again'),
});
export type BuildOptions = z.output<typeof BuildOptions>;

export const BuiltImage = z
  .object({
    repository: z.string().describe('`<team>/<project>/<name>`'),
    tag: z.string(),
    digest: Digest.describe('Of its manifest'),
    reference: z.string().describe('As a Compose file names it: with the registry, and by digest'),
    size: z.int().describe('Bytes of its layers, unpacked'),
  })
  .meta({ id: 'BuiltImage' });
export type BuiltImage = z.infer<typeof BuiltImage>;

/** What a build says beside the lines of its log: first that it takes the context, and last how it ended. */
export const BuildNote = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('built'), image: BuiltImage }),
  z.object({ type: z.literal('error'), problem: Problem }),
]);
export type BuildNote = z.infer<typeof BuildNote>;
