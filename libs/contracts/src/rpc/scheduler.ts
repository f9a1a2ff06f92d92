import { z } from 'zod';
import { SetOnDrift } from '../drift.js';
import { Digest, Id, Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import { EnvironmentReview, ReviewQuery } from '../policy-review.js';
import {
  ChangedEnvironment,
  Configuration,
  CreateDeployment,
  CreateEnvironment,
  CreateProject,
  CreatePromotion,
  CreateRollback,
  Deployment,
  Diff,
  Environment,
  Parity,
  Plan,
  Project,
  Release,
  ScaleService,
  Service,
  UpdateEnvironment,
} from '../workloads.js';
import { defineRpc } from './define.js';

const done = z.object({});
/** Taking in a deployment may mean a cold look-up of images in an upstream registry, in milliseconds. */
const ROLLOUT_MS = 60_000;
/** Every container of a page is looked at, in milliseconds. */
const REVIEW_MS = 60_000;
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
    ChangedEnvironment,
    ROLLOUT_MS,
  ),
  setOnDrift: defineRpc(
    'scheduler',
    'environment.on-drift',
    SetOnDrift.extend({ project: Name, environment: Name }),
    Environment,
  ),
  mend: defineRpc('scheduler', 'environment.mend', inEnvironment, Deployment, ROLLOUT_MS),
  listConfigurations: defineRpc(
    'scheduler',
    'configuration.list',
    PageRequest.extend({ project: Name, environment: Name }),
    page(Configuration),
  ),
  removeEnvironment: defineRpc(
    'scheduler',
    'environment.remove',
    inEnvironment.extend({ volumes: z.boolean() }),
    done,
    60_000,
  ),

  createDeployment: defineRpc(
    'scheduler',
    'deployment.create',
    CreateDeployment.extend({ project: Name, environment: Name }),
    Deployment,
    ROLLOUT_MS,
  ),
  promote: defineRpc(
    'scheduler',
    'deployment.promote',
    CreatePromotion.extend({ project: Name, environment: Name }),
    Deployment,
    ROLLOUT_MS,
  ),
  rollBack: defineRpc(
    'scheduler',
    'deployment.rollback',
    CreateRollback.extend({ project: Name, environment: Name }),
    Deployment,
    ROLLOUT_MS,
  ),
  plan: defineRpc(
    'scheduler',
    'deployment.plan',
    CreateDeployment.extend({ project: Name, environment: Name }),
    Plan,
    ROLLOUT_MS,
  ),
  /** `with`: another environment of the project, or a release that ran in this one. */
  diff: defineRpc('scheduler', 'environment.diff', inEnvironment.extend({ with: z.string().max(100) }), Diff),
  reviewEnvironments: defineRpc(
    'scheduler',
    'environment.review',
    ReviewQuery,
    page(EnvironmentReview),
    REVIEW_MS,
  ),
  parity: defineRpc('scheduler', 'environment.parity', inEnvironment.extend({ with: Name }), Parity),
  scaleService: defineRpc(
    'scheduler',
    'service.scale',
    ScaleService.extend({ project: Name, environment: Name, service: Name }),
    ChangedEnvironment,
    ROLLOUT_MS,
  ),
  stopService: defineRpc(
    'scheduler',
    'service.stop',
    inEnvironment.extend({ service: Name }),
    ChangedEnvironment,
    ROLLOUT_MS,
  ),
  restartService: defineRpc(
    'scheduler',
    'service.restart',
    inEnvironment.extend({ service: Name }),
    ChangedEnvironment,
    ROLLOUT_MS,
  ),
  listDeployments: defineRpc(
    'scheduler',
    'deployment.list',
    PageRequest.extend({ project: Name, environment: Name }),
    page(Deployment),
  ),
  getDeployment: defineRpc('scheduler', 'deployment.get', z.strictObject({ id: Id }), Deployment),
  cancelDeployment: defineRpc('scheduler', 'deployment.cancel', z.strictObject({ id: Id }), Deployment),
  /**
   * Digests of a team's images that environments of anybody's run, are about to, or ran before what they run: to these a rollback
   * leads. Asked by the registry, never from outside.
   */
  imagesInUse: defineRpc(
    'scheduler',
    'image.in-use',
    z.strictObject({ team: Name }),
    z.object({ digests: z.array(Digest) }),
  ),
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
};
