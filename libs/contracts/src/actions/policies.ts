import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** The rules themselves. */
const policies = { owner: 'policy' } as const;
/** Each binding as `<scope>=<mode>`, e.g. `projects/shop=warn`; none where they stay as they are. */
const bound = { bindings: z.array(z.string()) };
export const policyList = defineAction({
  name: 'policy.list',
  summary: 'List policies',
  ...policies,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const policyRead = defineAction({
  name: 'policy.read',
  summary: 'See a policy',
  ...policies,
  ...read,
  resource: ['Policy'],
  permission: 'anyone',
});
export const policyApply = defineAction({
  name: 'policy.apply',
  summary: 'Create or replace a policy',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string(), effect: z.string(), ...bound }),
});
export const policyBind = defineAction({
  name: 'policy.bind',
  summary: 'Say where a policy holds, and how hard',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string(), ...bound }),
});
export const policyRollback = defineAction({
  name: 'policy.rollback',
  summary: 'Bring back an earlier version of a policy',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string(), version: z.int(), ...bound }),
});
export const policyRemove = defineAction({
  name: 'policy.remove',
  summary: 'Remove a policy',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string() }),
});
export const policyFormat = defineAction({
  name: 'policy.format',
  summary: 'Lay out the text of a policy',
  ...policies,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const policySimulate = defineAction({
  name: 'policy.simulate',
  summary: 'See what a change of policies would have done to past decisions',
  ...policies,
  ...read,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({ policies: z.array(z.string()) }),
});
export const policyExplain = defineAction({
  name: 'policy.explain',
  summary: 'See why something was allowed or denied, to whoever asked for it',
  ...policies,
  ...read,
  resource: ['User'],
  permission: 'self',
});
export const policyExcept = defineAction({
  name: 'policy.except',
  summary: 'Have a policy deny nothing somewhere for a while',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({
    ...{ id: z.string(), scope: z.string(), owner: z.string(), reason: z.string() },
    seconds: z.int(),
  }),
});
export const policyUnexcept = defineAction({
  name: 'policy.unexcept',
  summary: 'End an exception from a policy',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ id: z.string(), exception: z.string() }),
});
export const policyTest = defineAction({
  name: 'policy.test',
  summary: 'Try policies that are not in force with cases',
  ...policies,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const hookList = defineAction({
  name: 'hook.list',
  summary: 'List the hooks that are asked beside policies',
  ...policies,
  ...read,
  resource: ['Platform'],
  permission: 'administer',
});
export const hookSet = defineAction({
  name: 'hook.set',
  summary: 'Have your own code asked beside policies',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({
    ...{ name: z.string(), on: z.array(z.string()), scope: z.string() },
    ...{ onFailure: z.string(), over: z.string() },
  }),
});
export const hookRemove = defineAction({
  name: 'hook.remove',
  summary: 'Have your own code asked no more',
  ...policies,
  ...change,
  resource: ['Policy'],
  permission: 'administer',
  context: z.object({ name: z.string() }),
});
