import { z } from 'zod';
import { Digest, Id, Name, Timestamp } from './names.js';

export const Project = z.object({ name: Name, team: Name, createdAt: Timestamp }).meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;
export const CreateProject = z.strictObject({ name: Name, team: Name }).meta({ id: 'CreateProject' });

/** Names as POSIX has them (XBD 8.1), values as text. */
export const Variables = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(32_768))
  .refine((variables) => Object.keys(variables).length <= 500, { error: '500 variables at most' });

export const Environment = z
  .object({
    project: Name,
    name: Name,
    team: Name,
    variables: Variables.describe('What `${VAR}` in the Compose file stands for'),
    release: Digest.nullable().describe('What runs; null when nothing does'),
    createdAt: Timestamp,
  })
  .meta({ id: 'Environment' });
export type Environment = z.infer<typeof Environment>;
export const CreateEnvironment = z
  .strictObject({ name: Name, variables: Variables.default({}) })
  .meta({ id: 'CreateEnvironment' });
export const UpdateEnvironment = z.strictObject({ variables: Variables }).meta({ id: 'UpdateEnvironment' });

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

export const Deployment = z
  .object({
    id: Id,
    team: Name,
    project: Name,
    environment: Name,
    release: Digest,
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
  .strictObject({ compose: z.string().min(1).max(1_048_576).describe('The Compose file, as YAML text') })
  .meta({ id: 'CreateDeployment' });

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
  tail: z.coerce.number().int().min(0).max(10_000).default(100),
  since: Timestamp.optional(),
});
