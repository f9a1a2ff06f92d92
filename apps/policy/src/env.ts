import { z } from 'zod';
import { DatabaseEnv, readEnv } from '@berth/runtime';

const Sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, { error: 'must be the SHA-256 of a token, in 64 hexadecimal digits' });

const HooksKey = z.base64().refine((key) => Buffer.from(key, 'base64').length === 32, {
  error: 'must be 32 bytes as base64: openssl rand -base64 32',
});

export const PolicyEnv = DatabaseEnv.extend({
  /** The first admin's token: only its hash ever comes here. Left out, no such token is made. */
  BERTH_ADMIN_TOKEN_SHA256: Sha256.optional(),
  /** The same for the service account that the container engine pulls with. */
  BERTH_ENGINE_TOKEN_SHA256: Sha256.optional(),
  /** 32 bytes as base64: what requests to hooks are signed with is made of it. Left out, hooks are asked over NATS only. */
  BERTH_HOOKS_KEY: z.preprocess((value) => value || undefined, HooksKey.optional()),
  /** How long decisions are kept, in days. */
  DECISION_RETENTION_DAYS: z.coerce.number().min(0.01).max(3_650).default(30),
  /** One decision in so many is checked by Cedar's own evaluator as well; 0 for none. */
  DECISION_SHADOW_ONE_IN: z.coerce.number().int().min(0).default(1_000),
});
export type PolicyEnv = z.infer<typeof PolicyEnv>;

export const policyEnv = (): PolicyEnv => readEnv(PolicyEnv);

/** Injection token of the environment. */
export const POLICY_ENV = Symbol('POLICY_ENV');
