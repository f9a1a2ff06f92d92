import { z } from 'zod';
import { Id, Name, Timestamp } from './names.js';

export const Role = z
  .enum(['viewer', 'developer', 'maintainer'])
  .describe('Each may do what the one before may');
export type Role = z.infer<typeof Role>;

/**
 * The user that records name, and policies may name (`Berth::User::"anonymous"`), where no token is shown. Nobody can be called so. Permitted is what a
 * policy permits to it by this name alone.
 */
export const ANONYMOUS = 'anonymous';

/** Who acts: what a valid token stands for. Travels with each request between services; holds no secret. */
export const Principal = z
  .object({
    user: Name,
    kind: z.enum(['user', 'service']),
    admin: z.boolean(),
    teams: z.array(z.object({ team: Name, role: Role })),
    tokenId: Id.nullable(),
    scopes: z.array(z.string()),
    expiresAt: Timestamp.nullable(),
  })
  .meta({ id: 'Principal' });
export type Principal = z.infer<typeof Principal>;

export const User = z
  .object({
    name: Name,
    kind: z.enum(['user', 'service']),
    admin: z.boolean(),
    team: Name.nullable().describe(
      'Whose service account it is; null for people, and for those of the platform',
    ),
    createdAt: Timestamp,
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof User>;
export const CreateUser = z
  .strictObject({
    name: Name,
    kind: z.enum(['user', 'service']).default('user'),
    admin: z.boolean().default(false),
  })
  .meta({ id: 'CreateUser' });

export const Team = z.object({ name: Name, createdAt: Timestamp }).meta({ id: 'Team' });
export type Team = z.infer<typeof Team>;
export const CreateTeam = z.strictObject({ name: Name }).meta({ id: 'CreateTeam' });

export const Member = z
  .object({
    team: Name,
    user: Name,
    role: Role,
    source: z
      .enum(['manual', 'group'])
      .describe('`group`: comes and goes with the groups that the identity provider tells of'),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;
export const SetMember = z.strictObject({ role: Role }).meta({ id: 'SetMember' });

/** An account for scripts that belongs to a team, and is a member of it. Its maintainers make and revoke its tokens. */
export const ServiceAccount = z
  .object({ name: Name, team: Name, role: Role.nullable(), createdAt: Timestamp })
  .meta({ id: 'ServiceAccount' });
export type ServiceAccount = z.infer<typeof ServiceAccount>;
export const CreateServiceAccount = z
  .strictObject({ name: Name, role: Role.default('developer') })
  .meta({ id: 'CreateServiceAccount' });

/**
 * A scope is `*`, `read` (all that only looks), the name of an action, or a family of actions such as `deployment.*`.
 * A token can do what its user may do and one of its scopes covers.
 */
export const Scope = z
  .string()
  .regex(/^(\*|read|[a-z]+\.(\*|[a-z-]+))$/, { error: 'must be "*", "read", an action or "<family>.*"' });

export const Token = z
  .object({
    id: Id,
    user: Name,
    name: z.string(),
    scopes: z.array(Scope),
    createdAt: Timestamp,
    expiresAt: Timestamp.nullable(),
    revokedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof Token>;
export const IssuedToken = Token.extend({
  token: z.string().describe('Shown this once; only its hash is stored'),
}).meta({
  id: 'IssuedToken',
});
export type IssuedToken = z.infer<typeof IssuedToken>;
export const CreateToken = z
  .strictObject({
    user: Name.optional().describe('Whose; yours unless you are an admin'),
    name: z.string().min(1).max(100).default('token'),
    scopes: z.array(Scope).min(1).max(50).default(['*']),
    expiresInSeconds: z
      .int()
      .min(1)
      .max(366 * 86_400)
      .default(90 * 86_400),
  })
  .meta({ id: 'CreateToken' });
