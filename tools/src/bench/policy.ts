import type { EntityJson, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import {
  Authorizer,
  AuthorizationRequest,
  type Cedar,
  type CedarRecord,
  type Entity,
  EntityRef,
  openCedar,
} from '@berth/cedar';
import { figure, holds, line, ratio, type Figure } from './figures.js';
import { policyServiceFigures } from './policy-service.js';
import { narrowed, TWENTY, unnarrowed } from './policy-sets.js';

const ROUNDS = 5;
const ROUND_MS = 1_000;
const TIMED = 40_000;

const ref = (type: string, id: string): EntityRef => new EntityRef(`Berth::${type}`, id);
const ACTION: Entity = {
  ref: ref('Action', 'deployment.create.before'),
  attributes: {},
  ancestors: [ref('Action', 'deployment.create'), ref('Action', 'develop')],
};

/** A question as a service has it, made anew each time: nothing of one decision serves the next. */
function request(n: number): AuthorizationRequest {
  const teams = ['acme', 'shop', 'payments'].map((team) => ref('Team', team));
  const principal: Entity = {
    ref: ref('User', `dev-${n % 100}`),
    attributes: {
      name: `dev-${n % 100}`,
      kind: 'user',
      admin: false,
      viewerOf: teams,
      developerOf: teams.slice(0, 2),
      maintainerOf: [teams[0]],
    },
    ancestors: teams,
  };
  const project = `project-${n % 50}`;
  const resource: Entity = {
    ref: ref('Environment', `${project}.prod`),
    attributes: { name: `${project}.prod`, team: ref('Team', 'acme'), project, environment: 'prod' },
    ancestors: [ref('Project', project), ref('Team', 'acme')],
  };
  return new AuthorizationRequest({
    principal: principal.ref,
    action: ACTION.ref,
    resource: resource.ref,
    context: facts(n),
    entities: [principal, resource, ACTION],
  });
}

/** Sixteen of them. */
function facts(n: number): CedarRecord {
  return {
    privileged: false,
    unlimitedMemory: false,
    unlimitedPids: false,
    bindMounts: [],
    capAdd: ['CHOWN'],
    minPublishedPort: 8_080,
    registries: ['docker.io', 'ghcr.io'],
    tags: ['1.27', `2.${n % 10}`],
    users: ['1000', '999'],
    client: `10.0.${n % 250}.7`,
    weekday: n % 5,
    minute: 600,
    replicas: 3,
    memory: 536_870_912,
    repository: 'library/nginx',
    releasedBy: 'someone-else',
  };
}

interface Side {
  decide(n: number): string;
}

function closures(policies: ReadonlyMap<string, PolicyJson>): Side {
  const authorizer = new Authorizer(policies);
  return { decide: (n) => authorizer.decide(request(n)).decision };
}

/** Cedar's fastest call, on policies that it has parsed before. */
function wasm(cedar: Cedar, policies: ReadonlyMap<string, PolicyJson>): Side {
  const parsed = cedar.preparsePolicySet('bench', { staticPolicies: Object.fromEntries(policies) });
  if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors));
  return {
    decide: (n) => {
      const { principal, action, resource, context, entities } = request(n);
      const uids = { principal: uid(principal), action: uid(action), resource: uid(resource) };
      const answer = cedar.statefulIsAuthorized({
        ...{ ...uids, context: context as Record<string, string>, entities: entities.map(json) },
        preparsedPolicySetId: 'bench',
      });
      if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
      return answer.response.decision;
    },
  };
}

const uid = ({ type, id }: EntityRef): { type: string; id: string } => ({ type, id });

function json(entity: Entity): EntityJson {
  const plain = (value: unknown): unknown => {
    if (value instanceof EntityRef) return { __entity: uid(value) };
    return Array.isArray(value) ? value.map(plain) : value;
  };
  const attrs = Object.fromEntries(
    Object.entries(entity.attributes).map(([name, value]) => [name, plain(value)]),
  ) as EntityJson['attrs'];
  return { uid: uid(entity.ref), attrs, parents: entity.ancestors.map(uid) };
}

/** Microseconds for each decision, one after the other. */
function perDecision({ decide }: Side): number {
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < ROUND_MS) {
    for (let more = 0; more < 10; more += 1) decide((count += 1));
  }
  return ((performance.now() - begun) * 1_000) / count;
}

/** The share of decisions that took no longer, in microseconds. */
function percentiles({ decide }: Side, shares: readonly number[]): number[] {
  const times: number[] = [];
  const until = performance.now() + 5 * ROUND_MS;
  for (let n = 0; n < TIMED && performance.now() < until; n += 1) {
    const begun = process.hrtime.bigint();
    decide(n);
    times.push(Number(process.hrtime.bigint() - begun) / 1_000);
  }
  times.sort((a, b) => a - b);
  return shares.map((share) => times[Math.floor(times.length * share)]);
}

function compare(cedar: Cedar, name: string, texts: ReadonlyMap<string, string>, bars: Bars): Figure[] {
  const policies = new Map([...texts].map(([id, text]) => [id, parse(cedar, text)]));
  const [ours, theirs] = [closures(policies), wasm(cedar, policies)];
  for (let n = 0; n < 50; n += 1) {
    if (ours.decide(n) !== theirs.decide(n)) throw new Error(`${name}: they disagree about request ${n}`);
    if (ours.decide(n) !== 'allow') throw new Error(`${name}: request ${n} is denied`);
  }
  const [left, right]: [number[], number[]] = [[], []];
  const [p50s, p99s]: [number[], number[]] = [[], []];
  perDecision(ours);
  for (let round = 0; round < ROUNDS; round += 1) {
    left.push(perDecision(ours));
    right.push(perDecision(theirs));
    const [p50, p99] = percentiles(ours, [0.5, 0.99]);
    p50s.push(p50);
    p99s.push(p99);
  }
  return [
    figure(`${name}: closures, each decision`, 'us', left, bars.each),
    figure(
      `${name}: closures, decisions a second`,
      '/s',
      left.map((each) => 1e6 / each),
    ),
    figure(`${name}: closures, p50`, 'us', p50s),
    figure(`${name}: closures, p99`, 'us', p99s, bars.p99),
    figure(
      `${name}: wasm, decisions a second`,
      '/s',
      right.map((each) => 1e6 / each),
    ),
    ratio(`${name}: time of closures beside that of the wasm`, left, right),
  ];
}

interface Bars {
  each?: number;
  p99: number;
}

function parse(cedar: Cedar, text: string): PolicyJson {
  const answer = cedar.policyToJson(text);
  if (answer.type === 'failure') throw new Error(`${JSON.stringify(answer.errors)}\n${text}`);
  return answer.json;
}

function inProcess(): Figure[] {
  const cedar = openCedar();
  return [
    // 100,000 a second.
    ...compare(cedar, '20 policies', TWENTY, { each: 10, p99: 50 }),
    ...compare(cedar, '2,000, most for one project each', narrowed(2_000), { p99: 1_000 }),
    ...compare(cedar, '2,000, each asked every time', unnarrowed(2_000), { p99: 1_000 }),
  ];
}

async function main(): Promise<void> {
  const parts = process.argv.slice(2);
  const wanted = (part: string): boolean => parts.length === 0 || parts.includes(part);
  const figures = [
    ...(wanted('in-process') ? inProcess() : []),
    ...(wanted('service') ? await policyServiceFigures() : []),
  ];
  for (const each of figures) console.log(line(each));
  if (!figures.every(holds)) process.exitCode = 1;
}

void main();
