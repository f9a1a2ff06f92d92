import { z } from 'zod';
import { Id, Timestamp } from './names.js';
import { AdviceMode, PolicyBinding, PolicyBindings } from './policy-bindings.js';

export const PolicyId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,99}$/, { error: 'must be lower-case letters, digits and "-"' });

export const Policy = z
  .object({
    id: PolicyId,
    text: z.string().describe('Cedar'),
    message: z.string().describe('What a person is told; from `@message`'),
    owner: z.string().nullable().describe('Whom to ask about it; from `@owner`'),
    bindings: z.array(PolicyBinding).describe('Where it holds, and how hard'),
    version: z.int().describe('Raised by each change, of its text or its bindings'),
    builtin: z.boolean().describe('Came with Berth; can be changed and removed like any other'),
    updatedAt: Timestamp,
    updatedBy: z.string(),
  })
  .meta({ id: 'Policy' });
export type Policy = z.infer<typeof Policy>;

const expectedVersion = z
  .int()
  .min(0)
  .optional()
  .describe('Refused with CONFLICT unless the policy has this version; 0: unless there is none');
export const PolicyText = z.string().min(1).max(65_536).describe('One Cedar policy, 64 KiB at most');
export const ApplyPolicy = z
  .strictObject({
    text: PolicyText,
    bindings: PolicyBindings.optional().describe(
      'As they are when left out; of a new policy: platform, deny',
    ),
    expectedVersion,
  })
  .meta({ id: 'ApplyPolicy' });
export const BindPolicy = z
  .strictObject({ bindings: PolicyBindings.describe('All of them: what is left out ends'), expectedVersion })
  .meta({ id: 'BindPolicy' });
export const RollBackPolicy = z
  .strictObject({
    version: z
      .int()
      .min(1)
      .optional()
      .describe('Whose text and bindings come back; the one before when left out'),
    expectedVersion,
  })
  .meta({ id: 'RollBackPolicy' });

export const PolicyChange = z.enum(['applied', 'bound', 'rolled-back', 'removed']);
export type PolicyChange = z.infer<typeof PolicyChange>;
export const PolicyVersion = z
  .object({
    version: z.int(),
    change: PolicyChange.describe('What made it'),
    text: z.string().nullable().describe('Null once it was removed'),
    bindings: z.array(PolicyBinding),
    revision: z.int().describe('Of the policy set that it came with; decisions name theirs'),
    at: Timestamp,
    by: z.string(),
  })
  .meta({ id: 'PolicyVersion' });
export type PolicyVersion = z.infer<typeof PolicyVersion>;

export const FormatPolicy = z.strictObject({ text: PolicyText }).meta({ id: 'FormatPolicy' });
export const FormattedPolicy = z.object({ text: z.string() }).meta({ id: 'FormattedPolicy' });
export type FormattedPolicy = z.infer<typeof FormattedPolicy>;

export const ResourceType = z.enum([
  'Platform',
  'Team',
  'User',
  'Project',
  'Environment',
  'Service',
  'Deployment',
  'Image',
  'Policy',
  'Quota',
  'AuditLog',
]);
export type ResourceType = z.infer<typeof ResourceType>;

/** What an action is done to, and where that stands. `id` is the name within its type, e.g. `shop.dev`. */
export const ResourceRef = z.object({
  type: ResourceType,
  id: z.string(),
  team: z.string().optional(),
  project: z.string().optional(),
  environment: z.string().optional(),
});
export type ResourceRef = z.infer<typeof ResourceRef>;

/** What belongs to no team: the installation as a whole. */
export const PLATFORM: ResourceRef = { type: 'Platform', id: 'berth' };

/** A team, which owns itself. */
export function teamResource(team: string): ResourceRef {
  return { type: 'Team', id: team, team };
}

export const Hook = z.enum(['before', 'after']);
export type Hook = z.infer<typeof Hook>;

/** Denials that no policy wrote: their ids are no policy's. */
export const OWN_DENIALS = [
  'principal-unknown',
  'token-unknown',
  'token-revoked',
  'token-expired',
  'token-scope',
  'policy-broken',
  'evaluation-error',
  'decision-disputed',
  'default-deny',
] as const;
export type OwnDenial = (typeof OWN_DENIALS)[number];

export const PolicyAnswer = z.object({ id: z.string(), message: z.string() });
export type PolicyAnswer = z.infer<typeof PolicyAnswer>;

/** What a policy would have denied, where it is bound to deny nothing, or has an exception. */
export const PolicyAdvice = PolicyAnswer.extend({ mode: AdviceMode });
export type PolicyAdvice = z.infer<typeof PolicyAdvice>;

export const DecisionRequest = z.object({
  action: z.string(),
  hook: Hook,
  principal: z.object({ user: z.string(), tokenId: Id.nullable() }),
  resource: ResourceRef,
  context: z.record(z.string(), z.unknown()),
});
export type DecisionRequest = z.infer<typeof DecisionRequest>;

export const Decision = z.object({
  id: Id,
  allowed: z.boolean(),
  visible: z.boolean().describe('Whether the principal may know that the resource exists'),
  policies: z
    .array(PolicyAnswer)
    .describe('Those that determined it: the forbids that matched, or the permits'),
  advice: z
    .array(PolicyAdvice)
    .default([])
    .describe('Of policies that are bound to warn or as a dry run, or that have an exception'),
  revision: z.int().describe('Of the policy set that decided'),
  reusable: z
    .boolean()
    .default(false)
    .describe(
      'Whether the same question may take it for an answer for some seconds, while policy stands where it stood',
    ),
});
export type Decision = z.infer<typeof Decision>;
