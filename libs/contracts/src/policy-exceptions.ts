import { z } from 'zod';
import { Id, Name, Timestamp } from './names.js';
import { PageRequest } from './pages.js';
import { PolicyId } from './policies.js';
import { PolicyScope } from './policy-bindings.js';

/** A year: what is to last longer is no exception. */
export const LONGEST_EXCEPTION_DAYS = 366;

export const ExceptPolicy = z
  .strictObject({
    scope: PolicyScope.refine((scope) => scope !== 'platform', {
      error: 'must be a part of the platform: unbind the policy to have it hold nowhere',
    }).describe('Where the policy denies nothing meanwhile'),
    owner: Name.describe('The user who answers for it'),
    reason: z.string().trim().min(10).max(1_000).describe('Why, for whoever reads it in a year'),
    expiresAt: Timestamp.describe(`At most ${LONGEST_EXCEPTION_DAYS} days from now`),
  })
  .meta({ id: 'ExceptPolicy' });

export const PolicyException = z
  .object({
    id: Id,
    policy: PolicyId,
    scope: PolicyScope,
    owner: z.string(),
    reason: z.string(),
    status: z.enum(['holds', 'expired', 'ended']),
    createdAt: Timestamp,
    createdBy: z.string(),
    expiresAt: Timestamp,
    endedAt: Timestamp.nullable().describe('When someone ended it before that'),
    endedBy: z.string().nullable(),
  })
  .meta({ id: 'PolicyException' });
export type PolicyException = z.infer<typeof PolicyException>;

export const PolicyExceptionQuery = PageRequest.extend({
  policy: PolicyId.optional(),
  all: z.stringbool().or(z.boolean()).default(false).describe('Those that have expired or were ended, too'),
});
export type PolicyExceptionQuery = z.infer<typeof PolicyExceptionQuery>;
