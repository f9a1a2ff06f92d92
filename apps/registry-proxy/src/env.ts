import { z } from 'zod';
import { DatabaseEnv, readEnv } from '@berth/runtime';
import { UpstreamsSetting } from './upstream/upstreams.js';

const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

/** What this service needs from its environment. */
export const RegistryEnv = DatabaseEnv.extend({
  REGISTRY_STORE: z
    .string()
    .min(1)
    .describe('Folder of the blob store, which instances may share, or `s3://<bucket>[/<prefix>]`'),
  REGISTRY_S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('AWS itself when left out'),
  REGISTRY_S3_REGION: z.string().min(1).default('us-east-1'),
  REGISTRY_S3_ACCESS_KEY_ID: z.string().default(''),
  REGISTRY_S3_SECRET_ACCESS_KEY: z.string().default(''),
  REGISTRY_S3_REDIRECT: z
    .union([
      z.stringbool({ truthy: ['on'], falsy: ['off'], case: 'sensitive' }),
      z.url({ protocol: /^https?$/ }),
    ])
    .default(false)
    .describe(
      'Whether clients fetch large blobs from there: `on`, or the URL under which they reach it. `off` when left out',
    ),
  REGISTRY_UPSTREAMS: Json.optional()
    .pipe(UpstreamsSetting)
    .describe('JSON: name -> { url, username?, password?, tokenHosts? }'),
  REGISTRY_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('What images of upstreams may take; those pulled longest ago go first. No limit when left out'),
  REGISTRY_MIRROR_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe(
      'Another port, at which names without a host are those of REGISTRY_MIRROR_OF. None when left out',
    ),
  REGISTRY_MIRROR_OF: z.string().min(1).default('docker.io'),
  REGISTRY_TAG_TTL_SECONDS: z.coerce
    .number()
    .min(0)
    .default(60)
    .describe("How long an upstream's tag is believed before it is asked for again"),
  REGISTRY_UPSTREAM_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe('How long an upstream may take to answer; three times that between two pieces of a body'),
  REGISTRY_KEY: z
    .preprocess(
      (value) => value || undefined,
      z
        .base64()
        .refine((key) => Buffer.from(key, 'base64').length === 32, {
          error: 'must be 32 bytes as base64: openssl rand -base64 32',
        })
        .optional(),
    )
    .describe(
      'Seals passwords of upstreams, and the tokens of clients. Left out, there are neither: clients log in by Basic',
    ),
  BERTH_REGISTRY: z
    .string()
    .optional()
    .describe('host:port under which engines and people know this registry'),
});
export type RegistryEnv = z.infer<typeof RegistryEnv>;

export function registryEnv(): RegistryEnv {
  return readEnv(RegistryEnv);
}
