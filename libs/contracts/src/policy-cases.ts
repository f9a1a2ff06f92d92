import { z } from 'zod';
import { Role } from './identity.js';
import { Name } from './names.js';
import { Hook, PolicyAnswer, PolicyId, PolicyText, ResourceType } from './policies.js';

/** A question with the answer that is expected: what it leaves out does not matter to it. */
export const PolicyCase = z
  .strictObject({
    name: z.string().min(1).max(200),
    action: z.string().max(100),
    hook: Hook.default('before'),
    principal: z
      .strictObject({
        name: Name.default('someone'),
        kind: z.enum(['user', 'service']).default('user'),
        admin: z.boolean().default(false),
        teams: z.record(Name, Role).default({}).describe('Roles by team'),
      })
      .prefault({}),
    resource: z
      .strictObject({
        type: ResourceType.optional().describe('The first that the action is done to when left out'),
        id: z.string().max(300).optional(),
        team: Name.default('acme'),
        project: Name.default('shop'),
        environment: Name.default('dev'),
      })
      .prefault({}),
    context: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Facts of the hook; those left out are empty, false and 0'),
    time: z.iso.datetime().optional().describe('When it is asked; now when left out'),
    expect: z.enum(['allow', 'deny']),
    policies: z.array(PolicyId).optional().describe('Those that have to determine it'),
  })
  .meta({ id: 'PolicyCase' });
export type PolicyCase = z.output<typeof PolicyCase>;

export const TestPolicies = z
  .strictObject({
    policies: z.array(z.strictObject({ id: PolicyId, text: PolicyText })).max(64),
    cases: z.array(PolicyCase).min(1).max(500),
    live: z
      .boolean()
      .default(false)
      .describe('Together with the policies in force; else beside a policy that permits all'),
  })
  .meta({ id: 'TestPolicies' });

export const PolicyCaseResult = z
  .object({
    name: z.string(),
    passed: z.boolean(),
    allowed: z.boolean(),
    policies: z.array(PolicyAnswer).describe('Those that determined it'),
    problem: z.string().nullable().describe('What was otherwise than expected'),
  })
  .meta({ id: 'PolicyCaseResult' });
export type PolicyCaseResult = z.infer<typeof PolicyCaseResult>;

export const PolicyTestReport = z
  .object({ passed: z.int(), failed: z.int(), cases: z.array(PolicyCaseResult) })
  .meta({ id: 'PolicyTestReport' });
export type PolicyTestReport = z.infer<typeof PolicyTestReport>;
