import { z } from 'zod';

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';

/** Where a policy holds: in all of the platform, or for one team, project or environment and what stands in it. */
export const PolicyScope = z
  .string()
  .regex(new RegExp(`^(platform|(teams|projects)/${LABEL}|environments/${LABEL}\\.${LABEL})$`), {
    error: 'must be platform, teams/<team>, projects/<project> or environments/<project>.<environment>',
  });
export type PolicyScope = z.infer<typeof PolicyScope>;

/**
 * How hard it holds: `deny` decides; `warn` denies nothing and tells whoever asked; `dry-run` denies nothing and tells only those who
 * look at decisions. What a permit says counts with `deny` only.
 */
export const PolicyMode = z.enum(['deny', 'warn', 'dry-run']);
export type PolicyMode = z.infer<typeof PolicyMode>;

/** In which way a policy that denies nothing speaks: bound so, or by an exception from it. */
export const AdviceMode = z.enum(['warn', 'dry-run', 'excepted']);
export type AdviceMode = z.infer<typeof AdviceMode>;

export const PolicyBinding = z
  .strictObject({ scope: PolicyScope, mode: PolicyMode })
  .meta({ id: 'PolicyBinding' });
export type PolicyBinding = z.infer<typeof PolicyBinding>;

/** One for each scope. None at all keeps the policy, and has it hold nowhere. */
export const PolicyBindings = z
  .array(PolicyBinding)
  .max(100)
  .refine((bindings) => new Set(bindings.map(({ scope }) => scope)).size === bindings.length, {
    error: 'must name each scope once',
  });
