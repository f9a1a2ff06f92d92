import { z } from 'zod';
import { Id, Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import {
  CreateDeployment,
  CreateEnvironment,
  CreateProject,
  Deployment,
  Environment,
  LogLine,
  Project,
  Release,
  Service,
  UpdateEnvironment,
} from '../workloads.js';
import { Timestamp } from '../names.js';
import { defineRpc } from './define.js';

const done = z.object({});
const inProject = z.strictObject({ project: Name });
const inEnvironment = z.strictObject({ project: Name, environment: Name });

export const schedulerRpc = {
  createProject: defineRpc('scheduler', 'project.create', CreateProject, Project),
  listProjects: defineRpc(
    'scheduler',
    'project.list',
    PageRequest.extend({ team: Name.optional() }),
    page(Project),
  ),
  getProject: defineRpc('scheduler', 'project.get', inProject, Project),
  removeProject: defineRpc('scheduler', 'project.remove', inProject, done),

  createEnvironment: defineRpc(
    'scheduler',
    'environment.create',
    CreateEnvironment.extend({ project: Name }),
    Environment,
  ),
  listEnvironments: defineRpc(
    'scheduler',
    'environment.list',
    PageRequest.extend({ project: Name }),
    page(Environment),
  ),
  getEnvironment: defineRpc('scheduler', 'environment.get', inEnvironment, Environment),
  updateEnvironment: defineRpc(
    'scheduler',
    'environment.update',
    UpdateEnvironment.extend({ project: Name, environment: Name }),
    Environment,
  ),
  removeEnvironment: defineRpc(
    'scheduler',
    'environment.remove',
    inEnvironment.extend({ volumes: z.boolean() }),
    done,
    60_000,
  ),

  // Resolving the images may mean a cold look-up in an upstream registry.
  createDeployment: defineRpc(
    'scheduler',
    'deployment.create',
    CreateDeployment.extend({ project: Name, environment: Name }),
    Deployment,
    60_000,
  ),
  listDeployments: defineRpc(
    'scheduler',
    'deployment.list',
    PageRequest.extend({ project: Name, environment: Name }),
    page(Deployment),
  ),
  getDeployment: defineRpc('scheduler', 'deployment.get', z.strictObject({ id: Id }), Deployment),
  cancelDeployment: defineRpc('scheduler', 'deployment.cancel', z.strictObject({ id: Id }), Deployment),
  listReleases: defineRpc(
    'scheduler',
    'release.list',
    PageRequest.extend({ project: Name, environment: Name }),
    page(Release),
  ),

  listServices: defineRpc(
    'scheduler',
    'service.list',
    inEnvironment,
    z.object({ items: z.array(Service), nextCursor: z.null() }),
  ),
  /**
   * Starts a stream of log lines: each is published as a `StreamMessage` on `berth.streams.<stream>`, the last one says
   * `end`. The scheduler stops when it has heard nothing on `berth.streams.<stream>.alive` for 30 seconds.
   */
  streamLogs: defineRpc(
    'scheduler',
    'service.logs',
    inEnvironment.extend({
      service: Name,
      stream: Id,
      follow: z.boolean(),
      tail: z.int().min(0).max(10_000),
      since: Timestamp.optional(),
    }),
    z.object({ stream: Id }),
  ),
};

export const StreamMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('line'), line: LogLine }),
  z.object({ type: z.literal('end'), code: z.string().nullable(), detail: z.string().nullable() }),
]);
export type StreamMessage = z.infer<typeof StreamMessage>;
export const streamSubject = (stream: string): string => `berth.streams.${stream}`;
export const streamAliveSubject = (stream: string): string => `berth.streams.${stream}.alive`;
