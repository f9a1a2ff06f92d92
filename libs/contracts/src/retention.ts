import { z } from 'zod';
import { Name, Timestamp } from './names.js';
import { PageRequest } from './pages.js';

/** `acme` for all repositories of a team that have no rule of their own, or one of them: `acme/web`. */
export const RetentionScope = z
  .string()
  .max(255)
  .regex(/^[a-z0-9]+(-+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/, {
    error: 'must be <team>, or <team>/<name>',
  });

const rule = {
  keepLast: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('As many tags of each repository stay, those set last'),
  olderThanSeconds: z
    .int()
    .min(3_600)
    .max(10 * 365 * 86_400)
    .optional()
    .describe('Only tags that were set longer ago go'),
  tags: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\w.*-]+$/, { error: 'must be made of what tags are made of, and * for any of it' })
    .default('*')
    .describe('Which tags it is about, such as `pr-*`; the others stay'),
};

const saysSomething = [
  ({ keepLast, olderThanSeconds }: { keepLast?: number; olderThanSeconds?: number }): boolean =>
    keepLast !== undefined || olderThanSeconds !== undefined,
  { error: 'must say keepLast, olderThanSeconds, or both' },
] as const;

/** Where both are given, a tag goes that is neither among the last nor young. */
export const SetRetention = z
  .strictObject(rule)
  .refine(...saysSomething)
  .meta({ id: 'SetRetention' });
export type SetRetention = z.output<typeof SetRetention>;

export const InRetentionScope = z.strictObject({ scope: RetentionScope });
export type InRetentionScope = z.output<typeof InRetentionScope>;
export const SetScopedRetention = InRetentionScope.extend(rule).refine(...saysSomething);
export type SetScopedRetention = z.output<typeof SetScopedRetention>;

export const ListRetention = PageRequest.extend({ team: Name.optional().describe('Those of one team') });
export type ListRetention = z.infer<typeof ListRetention>;

/** Which images of a team go by themselves. Never what runs, nor what was pulled within the last hour. */
export const RetentionRule = z
  .object({
    scope: z.string(),
    team: Name,
    keepLast: z.int().nullable(),
    olderThanSeconds: z.int().nullable(),
    tags: z.string(),
    setBy: z.string().describe('In whose name its images go'),
    setAt: Timestamp,
  })
  .meta({ id: 'RetentionRule' });
export type RetentionRule = z.infer<typeof RetentionRule>;

/** What goes by a rule, or went. */
export const AppliedRetention = z
  .object({
    tags: z.array(z.object({ repository: z.string(), tag: z.string(), digest: z.string() })),
    images: z
      .array(z.object({ repository: z.string(), digest: z.string() }))
      .describe('Of which no tag is left, and that nothing that stays lists or is about'),
    denied: z
      .array(z.object({ repository: z.string(), reference: z.string(), reason: z.string() }))
      .describe('That stay, as policy says'),
    more: z.boolean().describe('Whether there is more than could be done at once: ask again'),
  })
  .meta({ id: 'AppliedRetention' });
export type AppliedRetention = z.infer<typeof AppliedRetention>;
