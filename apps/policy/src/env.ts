import { z } from 'zod';
import { DatabaseEnv, readEnv } from '@berth/runtime';

const Sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, { error: 'must be the SHA-256 of a token, in 64 hexadecimal digits' });

const HooksKey = z.base64().refine((key) => Buffer.from(key, 'base64').length === 32, {
  error: 'must be 32 bytes as base64: openssl rand -base64 32',
});

/** Left out and empty are the same. */
const optional = <T extends z.ZodType>(type: T) =>
  z.preprocess((value) => value || undefined, type.optional());

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Secrets and tokens go there: in the clear to this machine only. */
const Issuer = z
  .url({ protocol: /^https?$/ })
  .refine((url) => url.startsWith('https:') || LOOPBACK.test(new URL(url).hostname), {
    error: 'must be an https URL, unless it is on this machine',
  });

export const PolicyEnv = DatabaseEnv.extend({
  /** The first admin's token: only its hash ever comes here. Left out, no such token is made. */
  BERTH_ADMIN_TOKEN_SHA256: Sha256.optional(),
  /** The same for the service account that the container engine pulls with. */
  BERTH_ENGINE_TOKEN_SHA256: Sha256.optional(),
  /** 32 bytes as base64: what hooks are asked, and answer, is signed with secrets made of it. Left out, none can be registered. */
  BERTH_HOOKS_KEY: optional(HooksKey),
  /** The identity provider that people log in by. Left out, there is none. */
  BERTH_OIDC_ISSUER: optional(Issuer),
  BERTH_OIDC_CLIENT_ID: z.string().min(1).default('berth'),
  /** Left out for a public client (RFC 6749, section 2.1). */
  BERTH_OIDC_CLIENT_SECRET: optional(z.string()),
  BERTH_OIDC_SCOPES: z.string().default('openid profile email'),
  /** What the user is called here. */
  BERTH_OIDC_NAME_CLAIM: z.string().min(1).default('preferred_username'),
  /** Their groups: a list of names. */
  BERTH_OIDC_GROUPS_CLAIM: z.string().min(1).default('groups'),
  /** How long a token of a login holds. */
  BERTH_LOGIN_HOURS: z.coerce.number().min(0.01).max(720).default(12),
  /** How long decisions are kept, in days. */
  DECISION_RETENTION_DAYS: z.coerce.number().min(0.01).max(3_650).default(30),
  /** One decision in so many is checked by Cedar's own evaluator as well; 0 for none. */
  DECISION_SHADOW_ONE_IN: z.coerce.number().int().min(0).default(1_000),
});
export type PolicyEnv = z.infer<typeof PolicyEnv>;

export const policyEnv = (): PolicyEnv => readEnv(PolicyEnv);

/** Injection token of the environment. */
export const POLICY_ENV = Symbol('POLICY_ENV');
