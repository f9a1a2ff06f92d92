import { z } from 'zod';
import { defineAction } from './define.js';
import { nothing } from './facts.js';
import { free, change, read } from './kinds.js';

/** Users, teams, members, groups and tokens: policy owns them. */
const identity = { owner: 'policy' } as const;
export const userCreate = defineAction({
  name: 'user.create',
  summary: 'Create a user or a service account',
  ...identity,
  ...change,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({ name: z.string(), kind: z.string(), admin: z.boolean() }),
});
export const userList = defineAction({
  name: 'user.list',
  summary: 'List users',
  ...identity,
  ...read,
  resource: ['Platform'],
  permission: 'administer',
});
export const whoami = defineAction({
  name: 'user.whoami',
  summary: 'See who one is',
  ...identity,
  ...read,
  resource: ['User'],
  permission: 'self',
});
export const userLogin = defineAction({
  name: 'user.login',
  summary: 'Log in by the identity provider',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'self',
  context: z.object({
    issuer: z.string(),
    subject: z.string(),
    groups: z.array(z.string()),
    first: z.boolean(),
  }),
});
export const userLink = defineAction({
  name: 'user.link',
  summary: 'Say who a user is at the identity provider',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'administer',
  context: z.object({ issuer: z.string(), subject: z.string() }),
});
export const userRemove = defineAction({
  name: 'user.remove',
  summary: 'Remove a user with their tokens and memberships',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'administer',
  context: nothing,
});
export const accountCreate = defineAction({
  name: 'account.create',
  summary: 'Create a service account of a team',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ name: z.string(), role: z.string() }),
});
export const accountList = defineAction({
  name: 'account.list',
  summary: 'List the service accounts of a team',
  ...identity,
  ...read,
  resource: ['Team'],
  permission: 'view',
});
export const accountRemove = defineAction({
  name: 'account.remove',
  summary: 'Remove a service account of a team with its tokens',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ name: z.string() }),
});
export const teamCreate = defineAction({
  name: 'team.create',
  summary: 'Create a team',
  ...identity,
  ...change,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({ name: z.string() }),
});
export const teamList = defineAction({
  name: 'team.list',
  summary: "List one's teams",
  ...identity,
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
export const teamRead = defineAction({
  name: 'team.read',
  summary: 'See a team',
  ...identity,
  ...read,
  resource: ['Team'],
  permission: 'view',
});
export const memberList = defineAction({
  name: 'member.list',
  summary: 'List the members of a team',
  ...identity,
  ...read,
  resource: ['Team'],
  permission: 'view',
});
export const memberSet = defineAction({
  name: 'member.set',
  summary: 'Add a member or change a role',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ user: z.string(), role: z.string() }),
});
export const memberRemove = defineAction({
  name: 'member.remove',
  summary: 'Remove a member',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ user: z.string() }),
});
export const groupList = defineAction({
  name: 'group.list',
  summary: 'List the groups whose people are in a team',
  ...identity,
  ...read,
  resource: ['Team'],
  permission: 'view',
});
export const groupSet = defineAction({
  name: 'group.set',
  summary: 'Let the people of a group be in a team',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ group: z.string(), role: z.string() }),
});
export const groupRemove = defineAction({
  name: 'group.remove',
  summary: 'Have the people of a group in a team no longer',
  ...identity,
  ...change,
  resource: ['Team'],
  permission: 'maintain',
  context: z.object({ group: z.string() }),
});
export const tokenCreate = defineAction({
  name: 'token.create',
  summary: 'Issue a token',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'self',
  context: z.object({ scopes: z.array(z.string()), expiresInSeconds: z.int() }),
});
export const tokenList = defineAction({
  name: 'token.list',
  summary: "List a user's tokens",
  ...identity,
  ...read,
  resource: ['User'],
  permission: 'self',
});
export const tokenRevoke = defineAction({
  name: 'token.revoke',
  summary: 'Revoke a token',
  ...identity,
  ...change,
  resource: ['User'],
  permission: 'self',
  context: z.object({ tokenId: z.string() }),
});
export const authenticationFail = defineAction({
  name: 'authentication.fail',
  summary: 'A token that is unknown, expired or revoked was used, or a login failed',
  ...identity,
  ...free,
  hooks: [],
  record: 'change',
  resource: ['Platform'],
  permission: 'anyone',
  context: z.object({
    tokenId: z.string().optional(),
    issuer: z.string().optional(),
    subject: z.string().optional(),
  }),
});
