import { DriftFinding, OnDrift } from './drift.js';
import { HaltedService } from './halts.js';
import { z } from 'zod';
import { Member, Team, Token, User } from './identity.js';
import { TeamGroup, UserIdentity } from './logins.js';
import { Name } from './names.js';
import { Deployment, Environment, Project } from './workloads.js';
import { PolicyBinding } from './policy-bindings.js';
import { PolicyAnswer } from './policies.js';
import { PolicyException } from './policy-exceptions.js';
import { PolicyHook } from './policy-hooks.js';
import { CollectedGarbage, DamagedBlob } from './images.js';
import { Prices } from './prices.js';
import { InRetentionScope, RetentionRule } from './retention.js';
import { NamedUpstream, Upstream } from './upstreams.js';
import { Quota } from './quotas.js';

export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  /** `<family>.<past tense>.v<N>`: within a version only optional additions. */
  readonly type: string;
  readonly summary: string;
  readonly data: Data;
}

export const eventCatalog = new Map<string, EventDefinition>();

export function defineEvent<Data extends z.ZodType>(
  type: string,
  summary: string,
  data: Data,
): EventDefinition<Data> {
  if (eventCatalog.has(type)) throw new Error(`event ${type} is defined twice`);
  const definition = { type, summary, data };
  eventCatalog.set(type, definition);
  return definition;
}

/** Where an event belongs: the levels of its subject, `_` where one does not apply. */
export interface EventPlace {
  team?: string | null;
  project?: string | null;
  environment?: string | null;
}

export function eventSubject(type: string, place: EventPlace): string {
  const { team, project, environment } = place;
  return `berth.events.${team || '_'}.${project || '_'}.${environment || '_'}.${type}`;
}

/** CloudEvents 1.0, structured JSON (section 3.1), with our correlation id as an extension attribute. */
export const CloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.uuid(),
  source: z.string().describe('`/berth/<service>`'),
  type: z.string(),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  correlationid: z.string().optional(),
  data: z.unknown(),
});
export type CloudEvent = z.infer<typeof CloudEvent>;

const named = z.object({ name: z.string() });

export const userCreated = defineEvent('user.created.v1', 'A user or service account was created.', User);
export const teamCreated = defineEvent('team.created.v1', 'A team was created.', Team);
export const memberSetEvent = defineEvent(
  'member.set.v1',
  'A member was added, or has another role.',
  Member,
);
export const memberRemoved = defineEvent(
  'member.removed.v1',
  'A member was removed.',
  Member.pick({ team: true, user: true }),
);
export const userRemoved = defineEvent(
  'user.removed.v1',
  'A user or service account was removed, with all its tokens and memberships.',
  named,
);
export const userLinked = defineEvent(
  'user.linked.v1',
  'A user may log in as somebody of the identity provider.',
  UserIdentity,
);
export const groupSetEvent = defineEvent(
  'group.set.v1',
  'The people of a group are in a team, or have another role there.',
  TeamGroup,
);
export const groupRemoved = defineEvent(
  'group.removed.v1',
  'The people of a group are in a team no longer.',
  TeamGroup.omit({ role: true }),
);
export const tokenCreated = defineEvent('token.created.v1', 'A token was issued.', Token);
export const tokenRevoked = defineEvent('token.revoked.v1', 'A token was revoked.', Token);
export const policyApplied = defineEvent(
  'policy.applied.v1',
  'A policy was created, replaced, bound otherwise or rolled back.',
  z.object({
    ...{ id: z.string(), version: z.int(), revision: z.int(), change: z.string() },
    bindings: z.array(PolicyBinding),
  }),
);
export const policyRemoved = defineEvent(
  'policy.removed.v1',
  'A policy was removed.',
  z.object({ id: z.string(), revision: z.int() }),
);
export const policyExcepted = defineEvent(
  'policy.excepted.v1',
  'A policy denies nothing somewhere for a while.',
  PolicyException.extend({ revision: z.int() }),
);
export const policyExceptionEnded = defineEvent(
  'policy.exception_ended.v1',
  'An exception from a policy was ended before its time.',
  PolicyException.extend({ revision: z.int() }),
);
export const hookSet = defineEvent('hook.set.v1', 'A hook was registered or changed.', PolicyHook);
export const hookRemoved = defineEvent(
  'hook.removed.v1',
  'A hook was removed.',
  z.object({ name: z.string() }),
);
// Facts stay out of it: they may hold what is private.
export const decisionDenied = defineEvent(
  'decision.denied.v1',
  'Policy said no.',
  z.object({
    ...{
      decision: z.string(),
      revision: z.int(),
      action: z.string(),
      hook: z.string(),
      principal: z.string(),
    },
    resource: z.object({ type: z.string(), id: z.string() }),
    policies: z.array(PolicyAnswer),
  }),
);
const DisputedAnswer = z.object({
  allowed: z.boolean(),
  policies: z.array(z.string()).describe('Those that determined it'),
  errors: z.array(z.string()).describe('What could not be evaluated'),
});
export const decisionDisputed = defineEvent(
  'decision.disputed.v1',
  'Two evaluators did not agree about a decision, and it was denied: policies may be in force otherwise than written.',
  z.object({
    decision: z.string(),
    revision: z.int(),
    action: z.string(),
    hook: z.string(),
    resource: z.object({ type: z.string(), id: z.string() }),
    decided: DisputedAnswer,
    expected: DisputedAnswer,
  }),
);
export const projectCreated = defineEvent('project.created.v1', 'A project was created.', Project);
export const projectRemoved = defineEvent('project.removed.v1', 'A project was removed.', named);
// Values of variables stay out of events: they may hold what is private.
export const environmentCreated = defineEvent(
  'environment.created.v1',
  'An environment was created.',
  Environment.omit({ variables: true }),
);
export const environmentUpdated = defineEvent(
  'environment.updated.v1',
  'The variables or settings of an environment were changed, and are in force.',
  Environment.omit({ variables: true }),
);
export const environmentRemoved = defineEvent(
  'environment.removed.v1',
  'An environment and all that ran in it was removed.',
  named.extend({ project: z.string() }),
);
export const deploymentCreated = defineEvent(
  'deployment.created.v1',
  'A deployment was accepted and begins.',
  Deployment,
);
export const deploymentProgressed = defineEvent(
  'deployment.progressed.v1',
  'A step of a deployment began or ended.',
  Deployment,
);
export const deploymentSucceeded = defineEvent(
  'deployment.succeeded.v1',
  'The release runs, and is healthy.',
  Deployment,
);
export const deploymentFailed = defineEvent(
  'deployment.failed.v1',
  'The release did not come up; what ran before runs on.',
  Deployment,
);
export const deploymentDenied = defineEvent(
  'deployment.denied.v1',
  'Policy denied the outcome; it was undone.',
  Deployment,
);
export const deploymentCancelled = defineEvent(
  'deployment.cancelled.v1',
  'The deployment was cancelled.',
  Deployment,
);
const PushedImage = z.object({
  repository: z.string(),
  reference: z.string(),
  digest: z.string(),
  mediaType: z.string(),
  size: z.int(),
});
export const imagePushed = defineEvent('image.pushed.v1', 'An image was pushed.', PushedImage);
export const imageCached = defineEvent(
  'image.cached.v1',
  'A manifest was fetched from an upstream and stored.',
  PushedImage,
);
export const garbageCollected = defineEvent(
  'image.collected.v1',
  'Stored bytes that no image names were removed.',
  CollectedGarbage,
);
export const imageDamaged = defineEvent(
  'image.damaged.v1',
  'Stored bytes were found damaged, and put away.',
  DamagedBlob,
);
export const imageDeleted = defineEvent(
  'image.deleted.v1',
  'A tag was deleted, or, where the reference is a digest, an image with its tags.',
  PushedImage.pick({ repository: true, reference: true, digest: true }),
);
export const upstreamSetEvent = defineEvent(
  'upstream.set.v1',
  'A registry to pull images through from was added, or changed.',
  Upstream.pick({ name: true, url: true, credentials: true }),
);
export const upstreamRemovedEvent = defineEvent(
  'upstream.removed.v1',
  'Images are no more pulled through from a registry.',
  NamedUpstream,
);
export const retentionSetEvent = defineEvent(
  'retention.set.v1',
  'A rule by which images go was set.',
  RetentionRule,
);
export const retentionRemovedEvent = defineEvent(
  'retention.removed.v1',
  'A rule by which images went is gone.',
  InRetentionScope,
);
export const pricesSetEvent = defineEvent('price.set.v1', 'Prices were set.', Prices);
export const quotaSetEvent = defineEvent('quota.set.v1', 'Limits were set.', Quota);

export const environmentDrifted = defineEvent(
  'environment.drifted.v1',
  'What runs in an environment was changed behind Berth.',
  z.object({
    project: Name,
    environment: Name,
    onDrift: OnDrift,
    findings: z
      .array(DriftFinding.pick({ service: true, path: true }))
      .describe('Where. Values are not told'),
  }),
);
export const environmentDriftEnded = defineEvent(
  'environment.drift_ended.v1',
  'What runs in an environment is again what was rolled out.',
  z.object({ project: Name, environment: Name }),
);
export const serviceHalted = defineEvent(
  'service.halted.v1',
  'A service was stopped: policy denies an instance that the engine had started anew.',
  HaltedService.extend({ project: Name, environment: Name }),
);
export const environmentNotMended = defineEvent(
  'environment.not_mended.v1',
  'What was changed behind Berth could not be mended yet; it is tried again later.',
  z.object({ project: Name, environment: Name, code: z.string(), reason: z.string() }),
);
