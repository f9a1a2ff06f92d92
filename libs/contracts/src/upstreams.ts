import { z } from 'zod';
import { Timestamp } from './names.js';

/** A host with a dot and no port, as a name of a repository begins with it, and a team's name has none. */
export const UpstreamName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]+([._-]+[a-z0-9]+)*\.[a-z0-9]+([._-]+[a-z0-9]+)*$/, {
    error: 'must be named like a host with a dot and no port: docker.io',
  });

const HttpUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((text) => new URL(text).username === '', { error: 'put the user in "username", not into the URL' })
  .describe('Where its /v2/ is, such as https://registry-1.docker.io');

/** How a registry is reached that images are pulled through from. */
export const UpstreamSettings = z.strictObject({
  url: HttpUrl,
  username: z.string().min(1).max(500).optional(),
  password: z.string().min(1).max(5_000).optional().describe('A password or token; never shown again'),
  tokenHosts: z
    .array(z.string().max(255))
    .max(10)
    .default([])
    .describe(
      'Hosts besides its own that may be sent its credentials when they hand out its tokens, over https',
    ),
});
export type UpstreamSettings = z.output<typeof UpstreamSettings>;

/** For schemas with a `username` and a `password`. */
export const bothOrNeither = [
  ({ username, password }: { username?: string; password?: string }): boolean =>
    (username === undefined) === (password === undefined),
  { error: 'username and password go together' },
] as const;

export const SetUpstream = UpstreamSettings.refine(...bothOrNeither).meta({ id: 'SetUpstream' });
export type SetUpstream = z.output<typeof SetUpstream>;

export const NamedUpstream = z.strictObject({ name: UpstreamName });
export type NamedUpstream = z.output<typeof NamedUpstream>;
export const SetNamedUpstream = UpstreamSettings.extend(NamedUpstream.shape).refine(...bothOrNeither);
export type SetNamedUpstream = z.output<typeof SetNamedUpstream>;

export const Upstream = z
  .object({
    name: z.string(),
    url: z.string(),
    credentials: z.boolean().describe('Whether Berth has some for it'),
    tokenHosts: z.array(z.string()),
    fixed: z.boolean().describe('Named by `BERTH_UPSTREAMS`, and changed there only'),
    setBy: z.string().nullable(),
    setAt: Timestamp.nullable(),
    rate: z
      .object({ limit: z.int(), remaining: z.int(), seconds: z.int().describe('That the limit is for') })
      .nullable()
      .describe(
        'As it last told the instance that answers (`RateLimit-Limit`, `RateLimit-Remaining`); null when it did not',
      ),
  })
  .meta({ id: 'Upstream' });
export type Upstream = z.infer<typeof Upstream>;

export const CheckedUpstream = z
  .object({
    name: z.string(),
    answers: z.boolean(),
    reason: z.string().nullable().describe('Why it does not'),
    milliseconds: z.int(),
  })
  .meta({ id: 'CheckedUpstream' });
export type CheckedUpstream = z.infer<typeof CheckedUpstream>;
