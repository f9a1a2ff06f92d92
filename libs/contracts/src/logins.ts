import { z } from 'zod';
import { IssuedToken, Role } from './identity.js';
import { Name, Timestamp } from './names.js';

/** How people get a token, beside being given one. */
export const LoginMethods = z
  .object({
    oidc: z
      .object({ issuer: z.string().describe('Of OpenID Connect Discovery 1.0') })
      .nullable()
      .describe('Null where the platform has no identity provider'),
  })
  .meta({ id: 'LoginMethods' });
export type LoginMethods = z.infer<typeof LoginMethods>;

export const BeginDeviceLogin = z
  .strictObject({
    client: z.string().trim().min(1).max(80).default('device').describe('What asks: names the token'),
  })
  .meta({ id: 'BeginDeviceLogin' });

/** A login under way (RFC 8628, section 3.2): whoever holds the handle gets the token when somebody confirms the code. */
export const DeviceLogin = z
  .object({
    handle: z.string().describe('A secret of whoever asked'),
    userCode: z.string(),
    verificationUri: z.string(),
    verificationUriComplete: z.string().nullable().describe('With the code in it'),
    expiresAt: Timestamp,
    intervalSeconds: z.number().describe('Between two polls, at least'),
  })
  .meta({ id: 'DeviceLogin' });
export type DeviceLogin = z.infer<typeof DeviceLogin>;

export const PollDeviceLogin = z
  .strictObject({
    handle: z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: 'is not one that a login began with' }),
  })
  .meta({ id: 'PollDeviceLogin' });

export const DeviceLoginState = z
  .object({
    state: z.enum(['pending', 'done']),
    intervalSeconds: z.number().describe('Until the next poll, at least; it may have grown'),
    token: IssuedToken.nullable().describe('There once, when it is done'),
  })
  .meta({ id: 'DeviceLoginState' });
export type DeviceLoginState = z.infer<typeof DeviceLoginState>;

/** A group as the identity provider names it. */
export const GroupName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{Cc}]+$/u, { error: 'must have no control characters' });

/** Whoever is in the group is in the team, in this role or a higher one. */
export const TeamGroup = z.object({ team: Name, group: GroupName, role: Role }).meta({ id: 'TeamGroup' });
export type TeamGroup = z.infer<typeof TeamGroup>;
export const SetTeamGroup = z.strictObject({ role: Role }).meta({ id: 'SetTeamGroup' });

/** Who somebody is at the identity provider: its `iss` and their `sub`, which stay when names change. */
export const UserIdentity = z
  .object({ user: Name, issuer: z.string(), subject: z.string() })
  .meta({ id: 'UserIdentity' });
export type UserIdentity = z.infer<typeof UserIdentity>;
export const LinkIdentity = z
  .strictObject({
    subject: z.string().min(1).max(255),
    issuer: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe("The platform's own identity provider unless given"),
  })
  .meta({ id: 'LinkIdentity' });
