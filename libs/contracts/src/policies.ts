import { z } from 'zod';
import { Id, Timestamp } from './names.js';

export const PolicyId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,99}$/, { error: 'must be lower-case letters, digits and "-"' });

export const Policy = z
  .object({
    id: PolicyId,
    text: z.string().describe('Cedar'),
    message: z.string().describe('What a person is told; from `@message`'),
    version: z.int(),
    builtin: z.boolean().describe('Came with Berth; can be changed and removed like any other'),
    updatedAt: Timestamp,
    updatedBy: z.string(),
  })
  .meta({ id: 'Policy' });
export type Policy = z.infer<typeof Policy>;
export const ApplyPolicy = z
  .strictObject({ text: z.string().min(1).max(65_536).describe('One Cedar policy, 64 KiB at most') })
  .meta({ id: 'ApplyPolicy' });

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

export const Hook = z.enum(['before', 'after']);
export type Hook = z.infer<typeof Hook>;

export const PolicyAnswer = z.object({ id: z.string(), message: z.string() });
export type PolicyAnswer = z.infer<typeof PolicyAnswer>;

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
  revision: z.int().describe('Of the policy set that decided'),
});
export type Decision = z.infer<typeof Decision>;
