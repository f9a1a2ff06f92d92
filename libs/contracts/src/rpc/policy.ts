import { z } from 'zod';
import {
  CreateTeam,
  CreateToken,
  CreateUser,
  IssuedToken,
  Member,
  Principal,
  Role,
  Team,
  Token,
  User,
} from '../identity.js';
import { Id, Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import { ApplyPolicy, Decision, DecisionRequest, Policy, PolicyId } from '../policies.js';
import { defineRpc } from './define.js';

const done = z.object({});

export const policyRpc = {
  authenticate: defineRpc(
    'policy',
    'authenticate',
    z.strictObject({ token: z.string().max(512) }),
    Principal,
  ),
  // Asked within other requests, which wait for 5 seconds: they must live to say that it was policy that did not answer.
  decide: defineRpc('policy', 'decide', DecisionRequest, Decision, 3_000),
  whoami: defineRpc('policy', 'whoami', z.strictObject({}), Principal),

  createUser: defineRpc('policy', 'user.create', CreateUser, User),
  listUsers: defineRpc('policy', 'user.list', PageRequest, page(User)),
  createTeam: defineRpc('policy', 'team.create', CreateTeam, Team),
  listTeams: defineRpc('policy', 'team.list', PageRequest, page(Team)),
  getTeam: defineRpc('policy', 'team.get', z.strictObject({ team: Name }), Team),
  listMembers: defineRpc('policy', 'member.list', PageRequest.extend({ team: Name }), page(Member)),
  setMember: defineRpc(
    'policy',
    'member.set',
    z.strictObject({ team: Name, user: Name, role: Role }),
    Member,
  ),
  removeMember: defineRpc('policy', 'member.remove', z.strictObject({ team: Name, user: Name }), done),
  createToken: defineRpc('policy', 'token.create', CreateToken, IssuedToken),
  listTokens: defineRpc('policy', 'token.list', PageRequest.extend({ user: Name.optional() }), page(Token)),
  revokeToken: defineRpc('policy', 'token.revoke', z.strictObject({ id: Id }), Token),

  listPolicies: defineRpc('policy', 'policy.list', PageRequest, page(Policy)),
  getPolicy: defineRpc('policy', 'policy.get', z.strictObject({ id: PolicyId }), Policy),
  // Both read policies in a process that may have to start first.
  applyPolicy: defineRpc('policy', 'policy.apply', ApplyPolicy.extend({ id: PolicyId }), Policy, 20_000),
  removePolicy: defineRpc('policy', 'policy.remove', z.strictObject({ id: PolicyId }), done, 20_000),
};
