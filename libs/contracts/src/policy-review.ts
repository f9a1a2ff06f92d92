import { z } from 'zod';
import { Id, Name, Timestamp } from './names.js';
import { PageRequest } from './pages.js';
import { DecisionRequest, Hook, PolicyAdvice, PolicyAnswer } from './policies.js';

/** Questions that are put to the policies in force and to nobody else: nothing comes of the answers, so none is kept. */
export const AssessQuestions = z.object({
  questions: z.array(DecisionRequest.omit({ principal: true }).extend({ principal: z.string() })).max(2_000),
});
export type AssessedQuestion = z.infer<typeof AssessQuestions>['questions'][number];

export const Assessment = z.object({
  allowed: z.boolean(),
  policies: z.array(PolicyAnswer),
  advice: z.array(PolicyAdvice),
});
export type Assessment = z.infer<typeof Assessment>;
export const Assessments = z.object({ assessments: z.array(Assessment) });

export const ReviewQuery = PageRequest.extend({
  project: Name.optional().describe('All that you may see when left out'),
});

export const ReviewFinding = z
  .object({
    effect: z.enum(['denied', 'warned']),
    action: z.string(),
    hook: Hook.describe('`before`: by what it is made from; `after`: by how it really runs'),
    service: Name.nullable().describe('Null for all of the environment together'),
    policies: z.array(PolicyAnswer),
  })
  .meta({ id: 'ReviewFinding' });
export type ReviewFinding = z.infer<typeof ReviewFinding>;

export const EnvironmentReview = z
  .object({
    project: Name,
    environment: Name,
    team: Name,
    release: z.string(),
    deployment: Id.describe('Which brought what runs'),
    deployedBy: z.string().describe('For whom policy is asked'),
    deployedAt: Timestamp,
    findings: z.array(ReviewFinding).describe('What policies have against it today; empty where nothing'),
  })
  .meta({ id: 'EnvironmentReview' });
export type EnvironmentReview = z.infer<typeof EnvironmentReview>;
