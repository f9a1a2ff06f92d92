import { z } from 'zod';
import { Id, Timestamp } from './names.js';
import { Hook, PolicyAdvice, PolicyAnswer, PolicyId, ResourceRef } from './policies.js';
import { PolicyMode, PolicyScope } from './policy-bindings.js';

export const ExplainDecision = z
  .strictObject({ decision: Id.describe('As problems and audit records name it') })
  .meta({ id: 'ExplainDecision' });

export const ExplainedCondition = z
  .object({
    text: z.string().describe('Cedar'),
    outcome: z.enum(['holds', 'fails', 'errs']),
    error: z.string().nullable(),
  })
  .meta({ id: 'ExplainedCondition' });
export type ExplainedCondition = z.infer<typeof ExplainedCondition>;

export const ExplainedPolicy = z
  .object({
    id: PolicyId,
    effect: z.enum(['permit', 'forbid']),
    scope: PolicyScope,
    mode: z
      .enum([...PolicyMode.options, 'excepted'])
      .describe('As it is bound; `excepted` where an exception has it deny nothing'),
    holds: z.boolean(),
    message: z.string(),
    conditions: z
      .array(ExplainedCondition)
      .describe('In the order in which they are asked; the first that does not hold is the last'),
    left: z.int().describe('Conditions that were not come to'),
  })
  .meta({ id: 'ExplainedPolicy' });
export type ExplainedPolicy = z.infer<typeof ExplainedPolicy>;

export const PolicyExplanation = z
  .object({
    decision: Id,
    time: Timestamp,
    action: z.string(),
    hook: Hook,
    principal: z.string(),
    resource: ResourceRef,
    context: z.record(z.string(), z.unknown()),
    allowed: z.boolean(),
    policies: z.array(PolicyAnswer).describe('Those that determined it'),
    now: z
      .object({ allowed: z.boolean(), policies: z.array(PolicyAnswer), advice: z.array(PolicyAdvice) })
      .nullable()
      .describe('What the same would be answered now; null where it cannot be asked any more'),
    applying: z
      .array(ExplainedPolicy)
      .describe(
        'The policies of now that are for such an action, principal and resource: first what holds, then what nearly does',
      ),
  })
  .meta({ id: 'PolicyExplanation' });
export type PolicyExplanation = z.infer<typeof PolicyExplanation>;
