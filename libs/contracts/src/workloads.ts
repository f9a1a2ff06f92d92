import { z } from 'zod';
import { Drift, OnDrift } from './drift.js';
import { HaltedService } from './halts.js';
import { Digest, Id, Name, Timestamp } from './names.js';
import { parseBytes, WrittenBytes } from './quotas.js';

export const Project = z.object({ name: Name, team: Name, createdAt: Timestamp }).meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;
export const CreateProject = z.strictObject({ name: Name, team: Name }).meta({ id: 'CreateProject' });

/** Names as POSIX has them (XBD 8.1), values as text. */
export const Variables = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(32_768))
  .refine((variables) => Object.keys(variables).length <= 500, { error: '500 variables at most' });

const MAX_REPLICAS = 1_000;
const SMALLEST_MEMORY = 6 * 1024 ** 2;

/** What an environment says of a service in place of what the Compose file says: what may differ between dev and prod. */
export const ServiceSettings = z
  .strictObject({
    replicas: z.int().min(0).max(MAX_REPLICAS).optional().describe('Instances'),
    cpus: z.number().min(0.001).max(1_000).optional().describe('Limit of one instance, in cores'),
    memory: WrittenBytes.refine(
      (size) => (typeof size === 'number' ? size : (parseBytes(size) ?? 0)) >= SMALLEST_MEMORY,
      {
        error: 'must be at least 6MiB',
      },
    )
      .optional()
      .describe('Limit of one instance: bytes, or text such as `512MiB`'),
  })
  .meta({ id: 'ServiceSettings' });
export type ServiceSettings = z.infer<typeof ServiceSettings>;

const SettingsOfServices = z
  .record(Name, ServiceSettings)
  .refine((services) => Object.keys(services).length <= 100, { error: '100 services at most' })
  .describe('By service: what differs from the Compose file in this environment');

export const Environment = z
  .object({
    project: Name,
    name: Name,
    team: Name,
    variables: Variables.describe('What `${VAR}` in the Compose file stands for'),
    services: SettingsOfServices,
    configuration: z.int().describe('Version of its variables and settings: counts up with each change'),
    release: Digest.nullable().describe('What runs; null when nothing does'),
    onDrift: OnDrift,
    drift: Drift.nullable().describe(
      'What is otherwise in the engine; null where all is as it was rolled out',
    ),
    halted: z
      .array(HaltedService)
      .describe(
        'Services that policy has stopped: an instance that the engine started anew came up otherwise than it allows',
      ),
    createdAt: Timestamp,
  })
  .meta({ id: 'Environment' });
export type Environment = z.infer<typeof Environment>;
export const CreateEnvironment = z
  .strictObject({
    name: Name,
    variables: Variables.default({}),
    services: SettingsOfServices.default({}),
    onDrift: OnDrift.default('report'),
  })
  .meta({ id: 'CreateEnvironment' });
export const UpdateEnvironment = z
  .strictObject({
    variables: Variables,
    services: SettingsOfServices.optional().describe('Left as they are when left out'),
  })
  .meta({ id: 'UpdateEnvironment' });

/** One version of what an environment adds to its releases. */
export const Configuration = z
  .object({
    version: z.int(),
    variables: Variables,
    services: SettingsOfServices,
    current: z.boolean().describe('Whether it is the one in force'),
    createdBy: Name,
    createdAt: Timestamp,
  })
  .meta({ id: 'Configuration' });
export type Configuration = z.infer<typeof Configuration>;

export const DeploymentStatus = z.enum(['pending', 'running', 'succeeded', 'failed', 'denied', 'cancelled']);
export type DeploymentStatus = z.infer<typeof DeploymentStatus>;
export function isFinished(status: DeploymentStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

export const StepName = z.enum(['resolving', 'policy', 'quota', 'rolling-out', 'healthy']);
export type StepName = z.infer<typeof StepName>;
export const DeploymentStep = z.object({
  name: StepName,
  status: z.enum(['pending', 'running', 'succeeded', 'failed', 'skipped']),
  message: z.string().nullable(),
  startedAt: Timestamp.nullable(),
  finishedAt: Timestamp.nullable(),
});
export type DeploymentStep = z.infer<typeof DeploymentStep>;

/** Why there is a deployment: what was asked for. */
export const DeploymentCause = z.enum([
  'deploy',
  'promote',
  'rollback',
  'configure',
  'scale',
  'restart',
  'resource',
  'mend',
]);
export type DeploymentCause = z.infer<typeof DeploymentCause>;

export const Deployment = z
  .object({
    id: Id,
    team: Name,
    project: Name,
    environment: Name,
    cause: DeploymentCause,
    release: Digest,
    configuration: z.int().describe("Version of the environment's variables and settings that it brings"),
    status: DeploymentStatus,
    reason: z.string().nullable().describe("Why it did not succeed, with the container's last output"),
    steps: z.array(DeploymentStep),
    createdBy: Name,
    createdAt: Timestamp,
    finishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Deployment' });
export type Deployment = z.infer<typeof Deployment>;
export const CreateDeployment = z
  .strictObject({
    compose: z.string().min(1).max(1_048_576).describe('The Compose file, as YAML text'),
    images: z
      .record(Name, z.string().min(1).max(1_024))
      .optional()
      .describe(
        'In place of what the file says, by service: for each with a `build`, the `reference` that its build answered',
      ),
  })
  .meta({ id: 'CreateDeployment' });

/** What is in force once the deployment has succeeded; null where nothing runs yet, and it is in force at once. */
export const ChangedEnvironment = Environment.extend({
  deployment: Deployment.nullable().describe('What brings the change to what runs; null when nothing runs'),
}).meta({ id: 'ChangedEnvironment' });
export type ChangedEnvironment = z.infer<typeof ChangedEnvironment>;

export const CreatePromotion = z
  .strictObject({
    from: Name.describe('The environment whose release is taken, as it runs there'),
    release: Digest.optional().describe('Refuse when another release runs there by now'),
  })
  .meta({ id: 'CreatePromotion' });
export const CreateRollback = z
  .strictObject({
    release: z
      .string()
      .regex(/^(sha256:)?[0-9a-f]{6,64}$/, { error: 'must be a digest, or its first 6 digits or more' })
      .optional()
      .describe('A release that ran here; the one before the present one when left out'),
  })
  .meta({ id: 'CreateRollback' });
export const ScaleService = z
  .strictObject({ replicas: z.int().min(0).max(MAX_REPLICAS).describe('Instances') })
  .meta({ id: 'ScaleService' });

/** One key of one service that differs. Values as text; null where there is none. */
export const Difference = z.object({
  service: Name,
  path: z
    .string()
    .describe('As in `environment.LOG_LEVEL` or `image`; empty where the whole service differs'),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type Difference = z.infer<typeof Difference>;

export const PlannedService = z.object({
  service: Name,
  change: z.enum(['create', 'update', 'scale', 'remove', 'none']),
  order: z
    .enum(['start-first', 'stop-first'])
    .nullable()
    .describe('`stop-first`: the old instances end before the new ones start, so there is a gap'),
  note: z.string().nullable().describe('What to know before'),
});
export type PlannedService = z.infer<typeof PlannedService>;

/** What a deploy would do. Nothing of it was done. */
export const Plan = z
  .object({
    release: Digest,
    current: Digest.nullable().describe('What runs now'),
    services: z.array(PlannedService),
    differences: z.array(Difference),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

/** How two environments, or two releases in one environment, differ. */
export const Diff = z
  .object({ from: z.string(), to: z.string(), differences: z.array(Difference) })
  .meta({ id: 'Diff' });
export type Diff = z.infer<typeof Diff>;

export const ParityDifference = Difference.extend({
  service: Name.nullable().describe('Null for the network of an environment'),
  kind: z
    .enum(['release', 'declared', 'drift'])
    .describe(
      '`release`: another release runs. `declared`: variables, settings or secrets of the environment say so. `drift`: it ' +
        'was changed behind Berth, from what was rolled out to what is there',
    ),
  environment: Name.nullable().describe('Of drift: where it is'),
});
export type ParityDifference = z.infer<typeof ParityDifference>;

export const Parity = z
  .object({
    from: Name,
    to: Name,
    sameRelease: z.boolean(),
    differences: z.array(ParityDifference),
  })
  .meta({ id: 'Parity' });
export type Parity = z.infer<typeof Parity>;

export const Release = z
  .object({
    digest: Digest,
    project: Name,
    services: z.array(z.object({ name: Name, image: z.string().describe('As written'), digest: Digest })),
    current: z.boolean().describe('Whether it is what runs in the environment asked about'),
    createdBy: Name,
    createdAt: Timestamp,
  })
  .meta({ id: 'Release' });
export type Release = z.infer<typeof Release>;

export const Instance = z.object({
  id: z.string(),
  state: z.string().describe("The engine's word: running, starting, failed, …"),
  healthy: z.boolean().nullable().describe('Null where there is no health check'),
  release: Digest.nullable(),
  startedAt: Timestamp.nullable(),
  message: z.string().nullable(),
});
export type Instance = z.infer<typeof Instance>;

export const Service = z
  .object({
    name: Name,
    image: z.string(),
    release: Digest.nullable(),
    replicas: z.object({ running: z.int(), desired: z.int() }),
    url: z.string().nullable().describe('Where requests come in; null for a service without a way in'),
    hosts: z.array(z.string()).describe('Host names of its own, beside the one that is made of its place'),
    ports: z.array(
      z.object({
        target: z.int(),
        published: z.int().nullable(),
        protocol: z.enum(['tcp', 'udp']),
        url: z.string().nullable().describe('Where it answers from this machine'),
      }),
    ),
    instances: z.array(Instance),
  })
  .meta({ id: 'Service' });
export type Service = z.infer<typeof Service>;
