import { z } from 'zod';
import { ByteSize } from '@berth/contracts';
import { DatabaseEnv, readEnv } from '@berth/runtime';
import { SecretsKey, SecretsKeys } from './secrets/keyring.js';

export const SchedulerEnv = DatabaseEnv.extend({
  DOCKER_HOST: z
    .string()
    .regex(/^(unix|tcp|https?):\/\//, { error: 'must be unix:///path or tcp://host:port' })
    .default('unix:///var/run/docker.sock'),
  /** host:port of the registry-proxy as the container engine sees it. */
  BERTH_REGISTRY: z.string().min(1).default('127.0.0.1:4401'),
  /** What the engine shows the registry-proxy when it pulls. */
  BERTH_ENGINE_TOKEN: z.string().default(''),
  /** The bridge that what runs in builds reaches the outside by, and that the host's rules know; empty: it reaches nothing. */
  BERTH_BUILD_BRIDGE: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,14}$|^$/, { error: 'must be the name of a network interface' })
    .default(''),
  /** What a build may use, and holds of its team's quota. */
  SCHEDULER_BUILD_CPUS: z.coerce.number().min(0.1).max(256).default(1),
  SCHEDULER_BUILD_MEMORY: ByteSize.prefault('1GiB'),
  SCHEDULER_BUILD_CONTEXT: ByteSize.prefault('1GiB'),
  SCHEDULER_BUILD_SECONDS: z.coerce.number().int().min(1).max(86_000).default(1_800),
  /** How many go on at once; others wait. */
  SCHEDULER_BUILDS: z.coerce.number().int().min(1).max(100).default(2),
  /** Encrypts what encrypts the secrets of environments. */
  BERTH_SECRETS_KEY: SecretsKey,
  /** Keys before it, with commas: what they encrypt is brought under the present one at start. */
  BERTH_SECRETS_OLD_KEYS: SecretsKeys.default(''),
  /** The image of Caddy that requests come in through; empty for a platform without a way in. */
  BERTH_INGRESS_IMAGE: z.string().default(''),
  /** Folder of the engine's host for its sockets, its saved configuration and its access log. */
  BERTH_INGRESS_FOLDER: z.string().default('/var/lib/berth/ingress'),
  BERTH_INGRESS_HOST: z.string().min(1).default('127.0.0.1'),
  BERTH_INGRESS_PORT: z.coerce.number().int().min(1).max(65_535).default(4490),
  /** Services answer at `<service>.<environment>.<project>.<domain>`. */
  BERTH_INGRESS_DOMAIN: z.string().min(1).default('localhost'),
  /** `internal`: certificates of a CA of its own; `acme`: of one that speaks ACME. */
  BERTH_INGRESS_TLS: z.enum(['off', 'internal', 'acme']).default('off'),
  BERTH_INGRESS_TLS_PORT: z.coerce.number().int().min(1).max(65_535).default(4493),
  /** Empty: Let's Encrypt's. */
  BERTH_ACME_DIRECTORY: z.union([z.literal(''), z.url({ protocol: /^https$/ })]).default(''),
  /** PEM file with the root of a directory that is not publicly trusted. */
  BERTH_ACME_CA_FILE: z.string().default(''),
  BERTH_ACME_EMAIL: z.union([z.literal(''), z.email()]).default(''),
  /** Where backups of resources are kept, encrypted. */
  BERTH_BACKUPS_FOLDER: z.string().min(1).default('/var/lib/berth/backups'),
  /** How long a release may take to come up, before the time that its health checks may take. */
  SCHEDULER_DEADLINE_SECONDS: z.coerce.number().int().min(1).max(3_600).default(300),
  /** How often what the engine runs is compared with what should be there. */
  SCHEDULER_UPKEEP_SECONDS: z.coerce.number().min(0.1).max(3_600).default(30),
});
export type SchedulerEnv = z.infer<typeof SchedulerEnv>;

export const schedulerEnv = (): SchedulerEnv => readEnv(SchedulerEnv);

/** Nest's injection token. */
export const SCHEDULER_ENV = Symbol('SCHEDULER_ENV');
