import { z } from 'zod';

/** The subject on which each instance of policy tells where it stands. */
export const POLICY_PULSE_SUBJECT = 'berth.pulse.policy';

/** How often it is told when nothing changes; a change is told at once. */
export const POLICY_PULSE_MS = 250;

/**
 * Where policy stands, as its database said a moment ago: `epoch` grows with each change of users, memberships and tokens, `revision` with
 * each change of policies. What was decided before holds as long as neither has moved. `open`: whether a policy permits anything to who shows no
 * token, so that it is worth asking.
 */
export const PolicyPulse = z.object({ epoch: z.int(), revision: z.int(), open: z.boolean() });
export type PolicyPulse = z.infer<typeof PolicyPulse>;
