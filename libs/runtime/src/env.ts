import { z } from 'zod';

export const Port = z.coerce.number().int().min(0).max(65_535);

/** What every service needs to start; an app's `env.ts` extends it. Secrets come in here and go no further. */
export const BaseEnv = z.object({
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  NATS_USER: z.string().default(''),
  NATS_PASSWORD: z.string().default(''),
  HTTP_HOST: z.string().default('127.0.0.1'),
  HTTP_PORT: Port.default(0),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  BERTH_INSTALLATION: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/)
    .default('local'),
});
export type BaseEnv = z.infer<typeof BaseEnv>;

/** For the services that keep something: a URL with the service's own role, whose search_path is its own schema. */
export const DatabaseEnv = BaseEnv.extend({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, { error: 'must be a postgres:// URL' }),
});
export type DatabaseEnv = z.infer<typeof DatabaseEnv>;

/** Reads the environment once. Names each variable that is missing or wrong, never its value: it may be a secret. */
export function readEnv<T extends z.ZodType>(
  schema: T,
  source: NodeJS.ProcessEnv = process.env,
): z.output<T> {
  const parsed = schema.safeParse(source);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The environment is not as it should be:\n${problems.join('\n')}`);
}
