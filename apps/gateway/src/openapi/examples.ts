const ID = '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0d';
const RELEASE = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';
const DIGEST = 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae';
const TIME = '2026-05-01T10:00:00.000Z';
const LATER = '2026-05-01T10:00:02.400Z';

const project = { name: 'shop', team: 'acme', createdAt: TIME };
const token = {
  id: ID,
  user: 'ci',
  name: 'pipeline',
  scopes: ['deployment.*', 'read'],
  createdAt: TIME,
  expiresAt: '2026-07-30T10:00:00.000Z',
  revokedAt: null,
};
const deviceLogin = {
  handle: 'bGV0IG1lIGluIHdoZW4gc29tZWJvZHkgY29uZmlybXM',
  userCode: 'WDJB-MJHT',
  verificationUri: 'https://id.example.com/device',
  verificationUriComplete: 'https://id.example.com/device?user_code=WDJB-MJHT',
  expiresAt: TIME,
  intervalSeconds: 5,
};
const forbid =
  '@id("no-latest")\n@message("Use a tag other than latest.")\nforbid (principal, action, resource)\nwhen { false };\n';

const shopDev = { type: 'Environment', id: 'shop.dev', team: 'acme', project: 'shop', environment: 'dev' };
const impact = {
  ...{ effect: 'denied', principal: 'dan', action: 'deployment.create', hook: 'before', resource: shopDev },
  ...{ count: 3, lastAt: TIME, decision: ID },
  policies: [{ id: 'no-latest', message: 'Use a tag other than latest.' }],
};
const reviewFinding = {
  ...{ effect: 'denied', action: 'instance.run', hook: 'after', service: 'web' },
  policies: [{ id: 'no-root', message: 'web runs as root.' }],
};
const policyHook = {
  ...{ name: 'scanner', url: 'https://scanner.example.org/berth', subject: null },
  ...{ on: ['deployment.create.before'], scope: 'platform', timeoutMs: 800, onFailure: 'deny' },
  ...{ updatedAt: TIME, updatedBy: 'admin' },
};
const policyCase = {
  ...{ name: 'latest is refused', action: 'deployment.create', hook: 'before' },
  principal: { name: 'dan', kind: 'user', admin: false, teams: { acme: 'developer' } },
  resource: { type: 'Environment', team: 'acme', project: 'shop', environment: 'prod' },
  ...{ context: { tags: ['latest'] }, expect: 'deny', policies: ['no-latest'] },
};
const caseResult = {
  ...{ name: 'latest is refused', passed: true, allowed: false, problem: null },
  policies: [{ id: 'no-latest', message: 'Use a tag other than latest.' }],
};
const parameter = { type: 'set', default: ['latest'], summary: 'The tags that are refused' };
const condition = { text: 'context.tags.contains("latest")', outcome: 'holds', error: null };
const explained = {
  ...{ id: 'no-latest', effect: 'forbid', scope: 'platform', mode: 'deny', holds: true },
  ...{ message: 'Use a tag other than latest.', conditions: [condition], left: 0 },
};

const builtImage = {
  ...{ repository: 'acme/shop/web', tag: 'v1', digest: DIGEST, size: 12_582_912 },
  reference: `127.0.0.1:4401/acme/shop/web@${DIGEST}`,
};
const environment = {
  project: 'shop',
  name: 'dev',
  team: 'acme',
  variables: { LOG_LEVEL: 'debug' },
  services: { web: { replicas: 2, memory: '256MiB' } },
  configuration: 3,
  release: RELEASE,
  onDrift: 'report',
  drift: null,
  halted: [],
  createdAt: TIME,
};
const deployment = {
  id: ID,
  team: 'acme',
  project: 'shop',
  environment: 'dev',
  cause: 'deploy',
  configuration: 3,
  release: RELEASE,
  status: 'running',
  reason: null,
  steps: [
    { name: 'resolving', status: 'succeeded', message: null, startedAt: TIME, finishedAt: LATER },
    { name: 'policy', status: 'succeeded', message: null, startedAt: LATER, finishedAt: LATER },
    { name: 'quota', status: 'succeeded', message: null, startedAt: LATER, finishedAt: LATER },
    { name: 'rolling-out', status: 'running', message: null, startedAt: LATER, finishedAt: null },
    { name: 'healthy', status: 'pending', message: null, startedAt: null, finishedAt: null },
  ],
  createdBy: 'mira',
  createdAt: TIME,
  finishedAt: null,
};
const drift = {
  foundAt: TIME,
  findings: [{ service: 'web', path: 'replicas', wanted: '2', found: '5' }],
};
const haltedService = {
  ...{ service: 'worker', since: TIME },
  policies: [{ id: 'non-root', message: 'Containers may not run as root.' }],
};
const secret = { name: 'DB_PASSWORD', version: 3, setBy: 'mira', setAt: TIME };
const resource = {
  ...{ name: 'orders-db', project: 'shop', environment: 'dev', entry: 'postgres', version: '17' },
  image: `docker.io/library/postgres@${DIGEST}`,
  ...{ port: 5432, credential: 1, usedBy: ['web'], addedBy: 'mira', addedAt: TIME },
  variables: [
    { name: 'ORDERS_DB_HOST', value: 'orders-db' },
    { name: 'ORDERS_DB_URL', value: null },
  ],
};
const difference = { service: 'web', path: 'environment.LOG_LEVEL', from: 'debug', to: 'info' };

/** One example for each schema that has an id; a spec holds each of them to its schema. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  Principal: {
    user: 'mira',
    kind: 'user',
    admin: false,
    teams: [{ team: 'acme', role: 'developer' }],
    tokenId: ID,
    scopes: ['*'],
    expiresAt: '2026-07-30T10:00:00.000Z',
  },
  User: { name: 'ci', kind: 'service', admin: false, team: null, createdAt: TIME },
  ServiceAccount: { name: 'acme-ci', team: 'acme', role: 'developer', createdAt: TIME },
  CreateServiceAccount: { name: 'acme-ci', role: 'developer' },
  UserIdentity: { user: 'mira', issuer: 'https://id.example.com', subject: '00u1a2b3c4' },
  LinkIdentity: { subject: '00u1a2b3c4' },
  LoginMethods: { oidc: { issuer: 'https://id.example.com' } },
  BeginDeviceLogin: { client: 'berth on laptop' },
  DeviceLogin: deviceLogin,
  PollDeviceLogin: { handle: deviceLogin.handle },
  DeviceLoginState: { state: 'pending', intervalSeconds: 5, token: null },
  ReviewFinding: reviewFinding,
  EnvironmentReview: {
    ...{ project: 'shop', environment: 'dev', team: 'acme', release: RELEASE, deployment: ID },
    ...{ deployedBy: 'mira', deployedAt: TIME, findings: [reviewFinding] },
  },
  TeamGroup: { team: 'acme', group: 'engineering', role: 'developer' },
  SetTeamGroup: { role: 'developer' },
  CreateUser: { name: 'ci', kind: 'service' },
  Team: { name: 'acme', createdAt: TIME },
  CreateTeam: { name: 'acme' },
  Member: { team: 'acme', user: 'mira', role: 'developer', source: 'manual' },
  SetMember: { role: 'developer' },
  Token: token,
  IssuedToken: { ...token, token: 'berth_…' },
  CreateToken: {
    user: 'ci',
    name: 'pipeline',
    scopes: ['deployment.*', 'read'],
    expiresInSeconds: 7_776_000,
  },
  Project: project,
  CreateProject: { name: 'shop', team: 'acme' },
  Environment: environment,
  CreateEnvironment: { name: 'dev', variables: { LOG_LEVEL: 'debug' } },
  UpdateEnvironment: { variables: { LOG_LEVEL: 'info' }, services: { web: { replicas: 3 } } },
  ServiceSettings: { replicas: 3, cpus: 0.5, memory: '512MiB' },
  ChangedEnvironment: { ...environment, deployment: { ...deployment, cause: 'scale' } },
  Configuration: {
    ...{ version: 3, variables: environment.variables, services: environment.services },
    ...{ current: true, createdBy: 'mira', createdAt: TIME },
  },
  Certificate: {
    ...{ host: '*.example.org', names: ['*.example.org', 'example.org'], issuer: 'O=Example CA, CN=R1' },
    fingerprint: DIGEST.slice('sha256:'.length),
    ...{ expiresAt: '2026-07-30T10:00:00.000Z', setBy: 'root', setAt: TIME },
  },
  SetCertificate: {
    certificate: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n',
    key: '-----BEGIN PRIVATE KEY-----\nMIGH…\n-----END PRIVATE KEY-----\n',
  },
  Ingress: {
    ...{ state: 'answers', reason: null, addresses: ['http://127.0.0.1:4490'] },
    url: 'http://<service>.<environment>.<project>.localhost:4490',
  },
  Repository: {
    ...{ name: 'acme/web', team: 'acme', upstream: null, tags: 3, bytes: 73_400_320 },
    updatedAt: TIME,
  },
  ImageTag: {
    ...{ name: '1.2', digest: DIGEST, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
    ...{ bytes: 24_117_248, updatedAt: TIME },
  },
  SetRetention: { keepLast: 10, olderThanSeconds: 2_592_000, tags: '*' },
  BuiltImage: builtImage,
  RegistryUsage: {
    ...{ days: 30, stored: { hosted: 4_294_967_296, cached: 10_737_418_240 } },
    manifests: { hosted: 1_204, cache: 8_840, stale: 3, upstream: 157, hitRate: 0.9826 },
    blobs: { hosted: 310, cache: 2_210, stale: 0, upstream: 412, hitRate: 0.8429 },
  },
  RetentionRule: {
    ...{ scope: 'acme', team: 'acme', keepLast: 10, olderThanSeconds: 2_592_000, tags: '*' },
    ...{ setBy: 'mira', setAt: TIME },
  },
  AppliedRetention: {
    tags: [{ repository: 'acme/web', tag: '1.1', digest: DIGEST }],
    images: [{ repository: 'acme/web', digest: DIGEST }],
    denied: [],
    more: false,
  },
  SetUpstream: { url: 'https://quay.io', username: 'robot', password: '…', tokenHosts: [] },
  Upstream: {
    ...{
      name: 'docker.io',
      url: 'https://registry-1.docker.io',
      credentials: true,
      tokenHosts: ['auth.docker.io'],
    },
    ...{ fixed: false, setBy: 'root', setAt: TIME, rate: { limit: 100, remaining: 76, seconds: 21_600 } },
  },
  CheckedUpstream: { name: 'quay.io', answers: true, reason: null, milliseconds: 184 },
  ScrubImages: {},
  DamagedBlob: {
    digest: DIGEST,
    bytes: 31_357_311,
    damage: 'rotten',
    repositories: ['acme/web'],
    upstreams: ['docker.io/library/nginx'],
  },
  ScrubbedImages: { blobs: 412, bytes: 9_663_676_416, damaged: [], verifiedBefore: TIME, more: false },
  ImageDetails: {
    repository: 'acme/web',
    reference: '1.2',
    digest: DIGEST,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.oci.image.config.v1+json',
    subject: null,
    bytes: 31_357_311,
    platforms: ['linux/amd64'],
    user: 'app',
    created: TIME,
    labels: { 'org.opencontainers.image.version': '1.2' },
    annotations: {},
    layers: [{ digest: DIGEST, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', bytes: 31_356_000 }],
    manifests: [],
  },
  CollectGarbage: { graceSeconds: 86_400 },
  CollectedGarbage: { links: 12, blobs: 9, bytes: 734_003_200, strays: 0, more: false },
  Node: {
    ...{ id: 'v0mruk1yuxdhnqw1ai2yqb8hx', name: 'worker-2', role: 'worker', state: 'ready', message: null },
    ...{ availability: 'active', address: '192.0.2.12', platform: { os: 'linux', architecture: 'amd64' } },
    ...{ cpu: 8, memory: 16_777_216_000, engineVersion: '27.5.1', own: false },
  },
  SetNode: { availability: 'drain' },
  Secret: secret,
  ChangedSecret: { ...secret, deployment: { ...deployment, cause: 'configure' } },
  SetSecret: { value: 'correct horse battery staple' },
  CatalogEntry: {
    ...{ name: 'postgres', team: null, description: 'PostgreSQL, one instance with a volume of its own' },
    ...{ image: 'postgres', versions: ['17', '16'], upgrades: 'same-major', port: 5432, backup: true },
    variables: [{ name: 'URL', secret: true }],
    file: 'description: PostgreSQL, one instance with a volume of its own\nimage: postgres\n',
  },
  SetCatalogEntry: { file: 'description: A search engine\nimage: acme/search\n' },
  Resource: resource,
  ChangedResource: { ...resource, deployment: { ...deployment, cause: 'resource' } },
  CreateResource: { entry: 'postgres', name: 'orders-db', version: '17' },
  UpgradeResource: { version: '17.6' },
  CreateRestore: { backup: ID },
  ResourceOperation: {
    ...{ id: ID, kind: 'backup', project: 'shop', environment: 'dev', resource: 'orders-db', backup: null },
    ...{ status: 'succeeded', step: null, reason: null, bytes: 48_213, createdBy: 'mira' },
    ...{ fingerprint: DIGEST, createdAt: TIME, finishedAt: LATER },
  },
  SetOnDrift: { onDrift: 'mend' },
  DriftFinding: { service: 'web', path: 'replicas', wanted: '2', found: '5' },
  Drift: drift,
  HaltedService: haltedService,
  CreatePromotion: { from: 'dev' },
  CreateRollback: { release: '5f70bf18a086' },
  ScaleService: { replicas: 3 },
  Plan: {
    ...{ release: RELEASE, current: null, differences: [difference], warnings: [] },
    services: [{ service: 'web', change: 'update', order: 'start-first', note: null }],
  },
  Diff: { from: 'dev', to: 'prod', differences: [difference] },
  Parity: {
    ...{ from: 'dev', to: 'prod', sameRelease: true },
    differences: [{ ...difference, kind: 'declared', environment: null }],
  },
  Deployment: deployment,
  CreateDeployment: { compose: 'services:\n  web:\n    image: acme/web:1.4.2\n    ports: ["8080:80"]\n' },
  Release: {
    digest: RELEASE,
    project: 'shop',
    services: [{ name: 'web', image: 'acme/web:1.4.2', digest: DIGEST }],
    current: true,
    createdBy: 'mira',
    createdAt: TIME,
  },
  Service: {
    name: 'web',
    image: 'acme/web:1.4.2',
    release: RELEASE,
    replicas: { running: 1, desired: 1 },
    url: 'http://shop.example.org:4490',
    hosts: ['shop.example.org'],
    ports: [{ target: 80, published: 8080, protocol: 'tcp', url: 'http://127.0.0.1:8080' }],
    instances: [
      {
        id: 'kx3v0w1t2u',
        state: 'running',
        healthy: true,
        release: RELEASE,
        startedAt: LATER,
        message: null,
      },
    ],
  },
  LogLine: {
    time: LATER,
    service: 'web',
    instance: 'kx3v0w1t2u',
    stream: 'stdout',
    line: 'listening on port 80',
  },
  InstanceStats: {
    service: 'web',
    instance: 'kx3v0w1t2u',
    usage: {
      cpu: 0.12,
      cpuLimit: 0.5,
      memory: 52_428_800,
      memoryLimit: 134_217_728,
      received: 1_204_512,
      sent: 8_730_221,
      receivedPerSecond: 1_840.5,
      sentPerSecond: 12_902,
    },
  },
  Policy: {
    id: 'no-latest',
    text: forbid,
    message: 'Use a tag other than latest.',
    owner: 'platform-team',
    bindings: [{ scope: 'platform', mode: 'deny' }],
    version: 1,
    builtin: false,
    updatedAt: TIME,
    updatedBy: 'mira',
  },
  PolicyBinding: { scope: 'environments/shop.prod', mode: 'warn' },
  ApplyPolicy: { text: forbid, bindings: [{ scope: 'environments/shop.prod', mode: 'warn' }] },
  BindPolicy: {
    bindings: [
      { scope: 'platform', mode: 'warn' },
      { scope: 'environments/shop.prod', mode: 'deny' },
    ],
  },
  RollBackPolicy: { version: 1 },
  PolicyVersion: {
    version: 1,
    change: 'applied',
    text: forbid,
    bindings: [{ scope: 'platform', mode: 'deny' }],
    revision: 17,
    at: TIME,
    by: 'mira',
  },
  FormatPolicy: { text: forbid },
  FormattedPolicy: { text: forbid },
  SimulatedChange: { id: 'no-latest', bindings: [{ scope: 'platform', mode: 'deny' }] },
  SimulatePolicies: {
    changes: [{ id: 'no-latest', bindings: [{ scope: 'platform', mode: 'deny' }] }],
    since: TIME,
    limit: 100_000,
  },
  SimulatedImpact: impact,
  PolicySimulation: {
    ...{ since: TIME, replayed: 18_204, skipped: 12, cut: false },
    ...{ denied: 3, allowed: 0, warned: 0, impacts: [impact], left: 0 },
  },
  PolicyCase: policyCase,
  TestPolicies: { policies: [{ id: 'no-latest', text: forbid }], cases: [policyCase], live: false },
  PolicyCaseResult: caseResult,
  PolicyTestReport: { passed: 1, failed: 0, cases: [caseResult] },
  LibraryParameter: parameter,
  LibraryPolicy: {
    ...{ id: 'no-latest', summary: 'No image by the tag latest', parameters: { tags: parameter } },
    ...{ text: forbid, cases: [policyCase] },
  },
  RenderLibraryPolicy: { parameters: { tags: ['latest'] } },
  RenderedPolicy: { id: 'no-latest', text: forbid },
  SetPolicyHook: {
    ...{ url: 'https://scanner.example.org/berth', on: ['deployment.create.before'], scope: 'platform' },
    ...{ timeoutMs: 800, onFailure: 'deny', rotate: false },
  },
  PolicyHook: policyHook,
  RegisteredHook: { ...policyHook, secret: 'u2Jt4oDk9mCzv1hKq0nW7bYxRpLs5eFaGi8cTdVwXyQ' },
  ExceptPolicy: {
    ...{ scope: 'environments/shop.dev', owner: 'mira' },
    ...{ reason: 'Until the vendor has tagged its images.', expiresAt: '2026-07-30T10:00:00.000Z' },
  },
  PolicyException: {
    ...{ id: ID, policy: 'no-latest', scope: 'environments/shop.dev', owner: 'mira' },
    ...{ reason: 'Until the vendor has tagged its images.', status: 'holds' },
    ...{ createdAt: TIME, createdBy: 'admin', expiresAt: '2026-07-30T10:00:00.000Z' },
    ...{ endedAt: null, endedBy: null },
  },
  ExplainDecision: { decision: ID },
  ExplainedCondition: condition,
  ExplainedPolicy: explained,
  PolicyExplanation: {
    ...{ decision: ID, time: TIME, action: 'deployment.create', hook: 'before', principal: 'dan' },
    resource: shopDev,
    context: { tags: ['latest'] },
    allowed: false,
    policies: [{ id: 'no-latest', message: 'Use a tag other than latest.' }],
    now: {
      ...{ allowed: false, policies: [{ id: 'no-latest', message: 'Use a tag other than latest.' }] },
      advice: [],
    },
    applying: [explained],
  },
  Quota: {
    scope: 'teams',
    name: 'acme',
    limits: { cpu: 4, memory: '8GiB', instances: 5, storage: '20GiB' },
    used: { cpu: 0.5, memory: '512MiB', instances: 1, storage: '1.25GiB' },
    cost: { currency: 'EUR', perHour: 0.012, perMonth: 8.76 },
  },
  Prices: { currency: 'EUR', cpu: 0.02, memory: 0.004, setBy: 'root', setAt: TIME },
  SetPrices: { currency: 'EUR', cpu: 0.02, memory: 0.004 },
  SetQuota: { limits: { cpu: 4, memory: '8GiB', instances: 5, storage: '20GiB' } },
  AuditRecord: {
    id: ID,
    time: TIME,
    source: 'scheduler',
    action: 'project.create',
    kind: 'change',
    outcome: 'succeeded',
    code: null,
    reason: null,
    actor: 'mira',
    tokenId: ID,
    team: 'acme',
    project: 'shop',
    environment: null,
    resource: { type: 'Team', id: 'acme' },
    policies: [{ id: 'members-develop', message: 'Developers may create projects in their teams.' }],
    decisions: [ID],
    correlationId: 'b1f6c1de-32a5-4e0b-8f0e-6f3f3c9d2a11',
    request: { name: 'shop' },
  },
  Problem: {
    type: 'urn:berth:error:NOT_FOUND',
    title: 'Not found',
    status: 404,
    detail: 'There is no environment "shop.dev", or you may not see it.',
    code: 'NOT_FOUND',
    correlationId: 'b1f6c1de-32a5-4e0b-8f0e-6f3f3c9d2a11',
  },
};
