import { z } from 'zod';
import {
  CreateServiceAccount,
  CreateTeam,
  CreateToken,
  CreateUser,
  IssuedToken,
  Member,
  Principal,
  Role,
  ServiceAccount,
  Team,
  Token,
  User,
} from '../identity.js';
import {
  BeginDeviceLogin,
  DeviceLogin,
  DeviceLoginState,
  GroupName,
  LinkIdentity,
  LoginMethods,
  PollDeviceLogin,
  TeamGroup,
  UserIdentity,
} from '../logins.js';
import { Id, Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import {
  ApplyPolicy,
  BindPolicy,
  Decision,
  DecisionRequest,
  FormatPolicy,
  FormattedPolicy,
  Policy,
  PolicyId,
  PolicyVersion,
  RollBackPolicy,
} from '../policies.js';
import { ExceptPolicy, PolicyException, PolicyExceptionQuery } from '../policy-exceptions.js';
import { ExplainDecision, PolicyExplanation } from '../policy-explanation.js';
import { PolicyTestReport, TestPolicies } from '../policy-cases.js';
import { PolicyHook, RegisteredHook, SetPolicyHook } from '../policy-hooks.js';
import { LibraryPolicy, RenderedPolicy, RenderLibraryPolicy } from '../policy-library.js';
import { AssessQuestions, Assessments } from '../policy-review.js';
import { PolicySimulation, SimulatePolicies } from '../policy-simulation.js';
import { defineRpc } from './define.js';

const done = z.object({});
/** Whoever is first after a start waits until all policies were read: ten thousand take ten seconds on a machine at rest. */
const READING_MS = 60_000;
const REPLAYING_MS = 60_000;
const PROVIDER_MS = 25_000;

export const policyRpc = {
  authenticate: defineRpc(
    'policy',
    'authenticate',
    z.strictObject({ token: z.string().max(512) }),
    Principal,
  ),
  // Asked within other requests, which wait for 5 seconds: they must live to say that it was policy that did not answer.
  decide: defineRpc('policy', 'decide', DecisionRequest, Decision, 3_000),
  assess: defineRpc('policy', 'assess', AssessQuestions, Assessments, READING_MS),
  whoami: defineRpc('policy', 'whoami', z.strictObject({}), Principal),

  loginMethods: defineRpc('policy', 'login.methods', z.strictObject({}), LoginMethods),
  // The identity provider is asked within these.
  beginDeviceLogin: defineRpc('policy', 'login.device', BeginDeviceLogin, DeviceLogin, PROVIDER_MS),
  pollDeviceLogin: defineRpc('policy', 'login.poll', PollDeviceLogin, DeviceLoginState, PROVIDER_MS),

  createUser: defineRpc('policy', 'user.create', CreateUser, User),
  listUsers: defineRpc('policy', 'user.list', PageRequest, page(User)),
  removeUser: defineRpc('policy', 'user.remove', z.strictObject({ user: Name }), done),
  linkIdentity: defineRpc('policy', 'user.link', LinkIdentity.extend({ user: Name }), UserIdentity),
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
  listGroups: defineRpc('policy', 'group.list', PageRequest.extend({ team: Name }), page(TeamGroup)),
  setGroup: defineRpc('policy', 'group.set', TeamGroup.strict(), TeamGroup),
  removeGroup: defineRpc('policy', 'group.remove', z.strictObject({ team: Name, group: GroupName }), done),
  createServiceAccount: defineRpc(
    'policy',
    'account.create',
    CreateServiceAccount.extend({ team: Name }),
    ServiceAccount,
  ),
  listServiceAccounts: defineRpc(
    'policy',
    'account.list',
    PageRequest.extend({ team: Name }),
    page(ServiceAccount),
  ),
  removeServiceAccount: defineRpc(
    'policy',
    'account.remove',
    z.strictObject({ team: Name, name: Name }),
    done,
  ),
  createToken: defineRpc('policy', 'token.create', CreateToken, IssuedToken),
  listTokens: defineRpc('policy', 'token.list', PageRequest.extend({ user: Name.optional() }), page(Token)),
  revokeToken: defineRpc('policy', 'token.revoke', z.strictObject({ id: Id }), Token),

  listPolicies: defineRpc('policy', 'policy.list', PageRequest, page(Policy)),
  getPolicy: defineRpc('policy', 'policy.get', z.strictObject({ id: PolicyId }), Policy),
  listPolicyVersions: defineRpc(
    'policy',
    'policy.versions',
    PageRequest.extend({ id: PolicyId }),
    page(PolicyVersion),
  ),
  // These read policies in a process that may have to start first.
  applyPolicy: defineRpc('policy', 'policy.apply', ApplyPolicy.extend({ id: PolicyId }), Policy, READING_MS),
  bindPolicy: defineRpc('policy', 'policy.bind', BindPolicy.extend({ id: PolicyId }), Policy, READING_MS),
  rollBackPolicy: defineRpc(
    'policy',
    'policy.rollback',
    RollBackPolicy.extend({ id: PolicyId }),
    Policy,
    READING_MS,
  ),
  removePolicy: defineRpc('policy', 'policy.remove', z.strictObject({ id: PolicyId }), done, READING_MS),
  formatPolicy: defineRpc('policy', 'policy.format', FormatPolicy, FormattedPolicy, READING_MS),
  listPolicyExceptions: defineRpc('policy', 'exception.list', PolicyExceptionQuery, page(PolicyException)),
  exceptPolicy: defineRpc(
    'policy',
    'exception.create',
    ExceptPolicy.safeExtend({ id: PolicyId }),
    PolicyException,
    READING_MS,
  ),
  endPolicyException: defineRpc(
    'policy',
    'exception.end',
    z.strictObject({ id: PolicyId, exception: Id }),
    PolicyException,
    READING_MS,
  ),
  testPolicies: defineRpc('policy', 'policy.test', TestPolicies, PolicyTestReport, READING_MS),
  listLibrary: defineRpc(
    'policy',
    'library.list',
    z.strictObject({}),
    z.object({ items: z.array(LibraryPolicy) }),
  ),
  renderLibraryPolicy: defineRpc(
    'policy',
    'library.render',
    RenderLibraryPolicy.extend({ entry: PolicyId }),
    RenderedPolicy,
  ),
  listHooks: defineRpc('policy', 'hook.list', PageRequest, page(PolicyHook)),
  setHook: defineRpc('policy', 'hook.set', SetPolicyHook.extend({ name: Name }), RegisteredHook),
  removeHook: defineRpc('policy', 'hook.remove', z.strictObject({ name: Name }), done),
  simulatePolicies: defineRpc('policy', 'policy.simulate', SimulatePolicies, PolicySimulation, REPLAYING_MS),
  explainDecision: defineRpc('policy', 'policy.explain', ExplainDecision, PolicyExplanation, READING_MS),
};
