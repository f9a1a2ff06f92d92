import { z } from 'zod';
import { Id, Name, Timestamp } from './names.js';
import { Hook, ResourceRef } from './policies.js';
import { PolicyScope } from './policy-bindings.js';

/** The subject on which a hook over NATS is asked. */
export function hookSubject(name: string): string {
  return `berth.hooks.${name}`;
}

/** An address that Berth asks: someone's own code, whose no is a denial like any policy's. */
export const SetPolicyHook = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .optional()
      .describe('Asked with POST; over NATS, on berth.hooks.<name>, when left out'),
    on: z
      .array(z.string().max(100))
      .min(1)
      .max(50)
      .describe('Hooks (deployment.create.before), or actions for both of theirs (deployment.create)'),
    scope: PolicyScope.default('platform'),
    timeoutMs: z.int().min(50).max(2_000).default(1_000),
    onFailure: z
      .enum(['deny', 'ignore'])
      .default('deny')
      .describe('What no answer is: nobody there, too late, or one that cannot be read'),
    rotate: z.boolean().default(false).describe('Make a new secret; the old one signs nothing any more'),
  })
  .meta({ id: 'SetPolicyHook' });

export const PolicyHook = z
  .object({
    name: Name,
    url: z.string().nullable().describe('Null: over NATS'),
    subject: z.string().nullable().describe('Of NATS; null: by URL'),
    on: z.array(z.string()),
    scope: PolicyScope,
    timeoutMs: z.int(),
    onFailure: z.enum(['deny', 'ignore']),
    updatedAt: Timestamp,
    updatedBy: z.string(),
  })
  .meta({ id: 'PolicyHook' });
export type PolicyHook = z.infer<typeof PolicyHook>;

export const RegisteredHook = PolicyHook.extend({
  secret: z
    .string()
    .nullable()
    .describe('What requests are signed with, and answers over NATS: shown when it is made, and never again'),
}).meta({ id: 'RegisteredHook' });
export type RegisteredHook = z.infer<typeof RegisteredHook>;

/** What a hook is asked. */
export const HookQuestion = z
  .object({
    decision: Id,
    time: Timestamp,
    action: z.string(),
    hook: Hook,
    principal: z.object({ name: z.string(), kind: z.string(), admin: z.boolean() }),
    resource: ResourceRef,
    context: z.record(z.string(), z.unknown()).describe('The facts, as policies have them'),
  })
  .meta({ id: 'HookQuestion' });
export type HookQuestion = z.infer<typeof HookQuestion>;

/** What it has to answer. */
export const HookAnswer = z
  .object({ allowed: z.boolean(), message: z.string().max(2_000).optional() })
  .meta({ id: 'HookAnswer' });
export type HookAnswer = z.infer<typeof HookAnswer>;
