import { actions, catalog, type ActionDefinition, type Hook, type ResourceRef } from '@berth/contracts';
import type { Subject } from '../cedar/entities.js';
import { CedarProcess } from '../cedar/cedar-process.js';
import { ClosureEvaluator } from '../cedar/closure-evaluator.js';
import { MessageTemplate } from '../cedar/message-template.js';
import { PolicyCompiler } from '../cedar/policy-compiler.js';
import { mayKnowOf } from '../decisions/standing.js';
import { verdictOn, type Asker, type PoliciesInForce } from '../decisions/verdict.js';
import { bindPolicies, EVERYWHERE } from './bound-policies.js';
import { STARTING_POLICIES } from './starting-policies.js';

const evaluator = new ClosureEvaluator();
const texts = new Map<string, string>();
let inForce: PoliciesInForce;

beforeAll(async () => {
  const cedar = new CedarProcess();
  const compiler = new PolicyCompiler(cedar);
  const { policies, broken } = await compiler.compileSet(STARTING_POLICIES);
  expect([...broken]).toEqual([]);
  const bindings = new Map([...policies.keys()].map((id) => [id, EVERYWHERE]));
  const { enforced, members } = bindPolicies({ policies, bindings, exceptions: [] });
  evaluator.load(enforced);
  for (const [id, { message }] of policies) texts.set(id, message);
  const messages = new Map([...texts].map(([id, message]) => [id, new MessageTemplate(message)]));
  inForce = { messages, members, broken: new Map() };
  await cedar.close();
});

const person = (name: string, role?: 'viewer' | 'developer' | 'maintainer', team = 'acme'): Subject => ({
  name,
  kind: 'user',
  admin: false,
  teams: role ? [{ team, role }] : [],
});
const people: Record<string, Subject> = {
  admin: { ...person('root'), admin: true },
  viewer: person('vera', 'viewer'),
  developer: person('dan', 'developer'),
  maintainer: person('mia', 'maintainer'),
  stranger: person('sam', 'maintainer', 'other'),
  nobody: person('ned'),
  engine: { ...person('engine'), kind: 'service' },
};

const acme = { team: 'acme' };
const shop = { ...acme, project: 'shop' };
const dev = { ...shop, environment: 'dev' };
const resources: Record<string, ResourceRef> = {
  platform: { type: 'Platform', id: 'berth' },
  team: { type: 'Team', id: 'acme', ...acme },
  project: { type: 'Project', id: 'shop', ...shop },
  environment: { type: 'Environment', id: 'shop.dev', ...dev },
  service: { type: 'Service', id: 'shop.dev.web', ...dev },
  deployment: { type: 'Deployment', id: '0190', ...dev },
  hosted: { type: 'Image', id: 'acme/web', ...acme },
  public: { type: 'Image', id: 'docker.io/library/nginx' },
  policy: { type: 'Policy', id: 'no-privileged' },
  dan: { type: 'User', id: 'dan' },
};

/** `nginx:1` as it comes: root inside, port 8080, the engine's capabilities without the dropped ones. */
const nginx = {
  environment: 'dev',
  release: 'sha256:1',
  services: ['web'],
  images: ['nginx:1'],
  registries: ['docker.io'],
  tags: ['1'],
  users: ['root'],
  capAdd: [] as string[],
  publishedPorts: [8080],
  minPublishedPort: 8080,
  hosts: [],
  volumes: [],
  allReadOnly: false,
  instances: 1,
  cpuMillis: 500,
  memoryBytes: 268_435_456,
  maxMemoryBytes: 268_435_456,
};
const running = {
  instances: 1,
  privileged: false,
  capabilities: ['CHOWN', 'SETUID', 'SETGID', 'NET_BIND_SERVICE', 'DAC_OVERRIDE'],
  bindMounts: [] as string[],
  networks: ['shop-dev'],
  foreignNetworks: [] as string[],
  unlimitedMemory: false,
  unlimitedPids: false,
  users: ['root'],
  images: ['sha256:1'],
  unexpectedImages: [] as string[],
};
const contexts: Record<string, Record<string, unknown>> = {
  'deployment.create.before': nginx,
  'deployment.create.after': running,
  'service.logs.before': { follow: false },
  'environment.create.before': { name: 'prod', variables: [] },
  'project.create.before': { name: 'web' },
  'team.create.before': { name: 'new' },
  'member.set.before': { user: 'sam', role: 'viewer' },
  'token.create.before': { scopes: ['*'], expiresInSeconds: 60 },
  'image.pull.before': { registry: 'docker.io', repository: 'library/nginx', reference: '1' },
  'image.push.before': { registry: 'berth', repository: 'acme/web', reference: '1' },
  'image.push.after': { digest: 'sha256:1', mediaType: 'application/json', size: 1 },
  'policy.apply.before': { id: 'x', effect: 'permit', bindings: [] },
};

function decide(
  subject: Subject,
  action: ActionDefinition,
  resource: ResourceRef,
  hook: Hook = 'before',
  facts?: object,
) {
  const asker: Asker = { name: subject.name, subject, token: 'none' };
  const context = { ...contexts[`${action.name}.${hook}`], ...facts };
  return verdictOn({ action, hook, asker, resource, target: null, context, time: new Date() }, inForce, {
    evaluate: (request) => evaluator.decide(request),
    advise: () => ({ allowed: true, determining: [], errors: [] }),
  });
}

const ACTIONS: Record<string, ActionDefinition> = Object.fromEntries(catalog);

describe('who may do what, on a new installation', () => {
  const all = Object.keys(people);
  const members = ['viewer', 'developer', 'maintainer'];
  it.each<[action: string, resource: string, allowed: string[]]>([
    ['team.create', 'platform', ['admin']],
    ['user.list', 'platform', ['admin']],
    ['team.list', 'platform', all],
    ['policy.list', 'platform', all],
    ['audit.read', 'platform', ['admin']],
    ['audit.read', 'team', ['admin', ...members]],
    ['audit.export', 'platform', ['admin']],
    ['audit.export', 'team', ['admin', 'maintainer']],
    ['price.read', 'platform', all],
    ['price.set', 'platform', ['admin']],
    ['upstream.list', 'platform', all],
    ['upstream.set', 'platform', ['admin']],
    ['upstream.check', 'platform', ['admin']],
    ['image.scrub', 'platform', ['admin']],
    ['registry.read', 'platform', ['admin']],
    ['retention.list', 'team', ['admin', ...members]],
    ['retention.preview', 'team', ['admin', ...members]],
    ['retention.set', 'team', ['admin', 'maintainer']],
    ['retention.remove', 'team', ['admin', 'maintainer']],
    ['retention.apply', 'team', ['admin', 'maintainer']],
    ['node.list', 'platform', ['admin']],
    ['node.set', 'platform', ['admin']],
    ['team.read', 'team', ['admin', ...members]],
    ['member.set', 'team', ['admin', 'maintainer']],
    ['project.create', 'team', ['admin', 'developer', 'maintainer']],
    ['project.read', 'project', ['admin', ...members]],
    ['project.remove', 'project', ['admin', 'maintainer']],
    ['environment.create', 'project', ['admin', 'developer', 'maintainer']],
    ['environment.read', 'environment', ['admin', ...members]],
    ['deployment.create', 'environment', ['admin', 'developer', 'maintainer']],
    ['deployment.read', 'deployment', ['admin', ...members]],
    ['service.logs', 'service', ['admin', ...members]],
    ['image.push', 'hosted', ['admin', 'developer', 'maintainer']],
    ['image.push', 'public', ['admin']],
    ['image.build', 'hosted', ['admin', 'developer', 'maintainer']],
    ['image.pull', 'hosted', ['admin', 'engine', ...members]],
    ['image.pull', 'public', all],
    ['policy.apply', 'policy', ['admin']],
    ['quota.set', 'team', ['admin']],
    ['quota.read', 'team', ['admin', ...members]],
    ['quota.read', 'dan', ['admin', 'developer']],
    ['token.create', 'dan', ['admin', 'developer']],
    ['user.whoami', 'dan', ['admin', 'developer']],
  ])('%s on a %s', (action, resource, allowed) => {
    const found = all.filter((who) => decide(people[who], ACTIONS[action], resources[resource]).allowed);
    expect(found.sort()).toEqual([...allowed].sort());
  });

  it('holds for the outcome as for the intent', () => {
    const after = (who: string) => decide(people[who], actions.imagePush, resources.hosted, 'after').allowed;
    expect(Object.keys(people).filter(after).sort()).toEqual(['admin', 'developer', 'maintainer']);
  });

  it('tells which policy permits, and what it says', () => {
    expect(decide(people.viewer, actions.projectRead, resources.project).policies).toEqual([
      { id: 'team-viewers', message: 'Members of a team may see what the team owns.' },
    ]);
  });

  it.each([
    ['viewer', 'deployment.create', 'environment', 'Needs the role "developer" in team "acme".'],
    ['developer', 'member.set', 'team', 'Needs the role "maintainer" in team "acme".'],
    ['nobody', 'project.read', 'project', 'Needs the role "viewer" in team "acme".'],
    ['maintainer', 'policy.apply', 'policy', 'Needs a platform admin.'],
    ['stranger', 'token.create', 'dan', 'Only "dan" and platform admins may do this.'],
  ])('tells a %s what %s on a %s would need', (who, action, resource, message) => {
    expect(decide(people[who], ACTIONS[action], resources[resource])).toMatchObject({
      allowed: false,
      policies: [{ id: 'default-deny', message }],
    });
  });

  it('lets only those who may know of a resource learn that it exists', () => {
    const knows = (resource: string) =>
      Object.keys(people).filter((who) => mayKnowOf(people[who], resources[resource]));
    expect(knows('project')).toEqual(['admin', ...members]);
    expect(knows('team')).toEqual(['admin', ...members]);
    expect(knows('public')).toEqual(all);
    expect(knows('dan')).toEqual(['admin', 'developer']);
  });
});

describe('how containers may run, on a new installation', () => {
  const deploy = (hook: Hook, facts: object, who = 'developer') =>
    decide(people[who], actions.deploymentCreate, resources.environment, hook, facts);

  it('passes nginx as it comes: root inside, a published port', () => {
    expect(deploy('before', {}).allowed).toBe(true);
    expect(deploy('after', {}).allowed).toBe(true);
  });

  it.each<[id: string, hook: Hook, facts: object]>([
    ['no-low-ports', 'before', { publishedPorts: [80, 8080], minPublishedPort: 80 }],
    ['safe-capabilities', 'before', { capAdd: ['CHOWN', 'SYS_ADMIN'] }],
    ['safe-capabilities', 'before', { capAdd: ['ALL'] }],
    ['safe-capabilities', 'after', { capabilities: ['NET_RAW'] }],
    ['no-privileged', 'after', { privileged: true }],
    ['no-host-mounts', 'after', { bindMounts: ['/etc'] }],
    ['own-network-only', 'after', { foreignNetworks: ['blog-prod'] }],
    ['limits-required', 'after', { unlimitedMemory: true }],
    ['limits-required', 'after', { unlimitedPids: true }],
    ['running-as-released', 'after', { unexpectedImages: ['sha256:2'] }],
  ])('%s forbids it %s: %j, to admins too', (id, hook, facts) => {
    for (const who of ['developer', 'admin']) {
      const policies = [{ id, message: texts.get(id) }];
      expect(deploy(hook, facts, who)).toEqual({ allowed: false, policies, advice: [] });
    }
  });

  it.each<[hook: Hook, facts: object]>([
    ['before', { capAdd: ['NET_BIND_SERVICE', 'CHOWN', 'SETPCAP', 'KILL'] }],
    ['before', { publishedPorts: [0], minPublishedPort: 65_536 }],
    ['before', { publishedPorts: [1024], minPublishedPort: 1024 }],
    ['after', { capabilities: [] }],
  ])('allows %s: %j', (hook, facts) => {
    expect(deploy(hook, facts).allowed).toBe(true);
  });

  it('tells of all that it breaks at once', () => {
    const { policies } = deploy('after', { privileged: true, bindMounts: ['/'], unlimitedPids: true });
    expect(policies.map(({ id }) => id)).toEqual(['limits-required', 'no-host-mounts', 'no-privileged']);
  });
});
