import { z } from 'zod';
import { Id, Timestamp } from './names.js';
import { Hook, PolicyAnswer, PolicyId, PolicyText, ResourceRef } from './policies.js';
import { PolicyBindings } from './policy-bindings.js';

export const MOST_REPLAYED = 200_000;

const PolicyChangeAsked = z
  .strictObject({
    id: PolicyId,
    text: PolicyText.nullable().optional().describe('As it is when left out; null: removed'),
    bindings: PolicyBindings.optional().describe(
      'As they are when left out; of a new policy: platform, deny',
    ),
  })
  .meta({ id: 'SimulatedChange' });
export const SimulatePolicies = z
  .strictObject({
    changes: z.array(PolicyChangeAsked).min(1).max(20),
    since: Timestamp.optional().describe('Decisions from then on; those of 7 days when left out'),
    limit: z.int().min(1).max(MOST_REPLAYED).default(100_000).describe('Decisions at most, the newest first'),
  })
  .meta({ id: 'SimulatePolicies' });
export type SimulatePolicies = z.infer<typeof SimulatePolicies>;

export const SimulatedEffect = z.enum(['denied', 'allowed', 'warned']);
export type SimulatedEffect = z.infer<typeof SimulatedEffect>;
export const SimulatedImpact = z
  .object({
    effect: SimulatedEffect,
    principal: z.string(),
    action: z.string(),
    hook: Hook,
    resource: ResourceRef,
    count: z.int().describe('How many decisions like this one'),
    lastAt: Timestamp,
    decision: Id.describe('The newest of them'),
    policies: z.array(PolicyAnswer).describe('What that one would be told'),
  })
  .meta({ id: 'SimulatedImpact' });
export type SimulatedImpact = z.infer<typeof SimulatedImpact>;

export const PolicySimulation = z
  .object({
    since: Timestamp,
    replayed: z
      .int()
      .describe(
        'Decisions that were taken again, before and after the change; those of the last second may be missing',
      ),
    skipped: z.int().describe('Decisions that no policy took, or that cannot be asked any more'),
    cut: z.boolean().describe('Whether older ones since then were left out'),
    denied: z.int().describe('Allowed now, and denied after the change'),
    allowed: z.int().describe('Denied now, and allowed after the change'),
    warned: z.int().describe('Told of only after the change'),
    impacts: z.array(SimulatedImpact).describe('By who does what to what, the most frequent first'),
    left: z.int().describe('Kinds of impact that are not listed'),
  })
  .meta({ id: 'PolicySimulation' });
export type PolicySimulation = z.infer<typeof PolicySimulation>;
