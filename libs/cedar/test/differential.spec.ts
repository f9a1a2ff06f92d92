import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { Authorizer, openCedar } from '../src/index.js';
import { type Case, nativeEntities, RandomCases } from './random-cases.js';
import { Random } from './random.js';

const DECISIONS = Number(process.env.FUZZ_DECISIONS ?? 6_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_127);
const POLICIES = 6;
const REQUESTS = 20;
const TOLD_EVERY = 50_000;

jest.setTimeout(60_000 + DECISIONS * 10);

interface Outcome {
  decision: string;
  determining: string[];
  /** Ids of the policies that could not be evaluated. */
  errors: string[];
}

/** Cedar's wasm and the closures are asked the same; both have to say the same, to the policy. */
test(`decides as Cedar's wasm does, over random policies of the whole language`, () => {
  const cedar = openCedar();
  const cases = new RandomCases(new Random(SEED));
  const found = { allow: 0, deny: 0, forbidden: 0, errors: 0 };
  const operators = new Map<string, number>();
  for (let decisions = 0; decisions < DECISIONS;) {
    const policies = Object.fromEntries(
      Array.from({ length: POLICIES }, (_, index) => [`p${index}`, cases.policy()]),
    );
    for (const { conditions } of Object.values(policies)) countOperators(conditions, operators);
    const parsed = cedar.preparsePolicySet('fuzz', { staticPolicies: policies });
    if (parsed.type === 'failure')
      throw new Error(`${JSON.stringify(parsed.errors)}\n${JSON.stringify(policies)}`);
    const authorizer = new Authorizer(Object.entries(policies));
    const entities = cases.entities();
    const native = nativeEntities(entities);
    for (let request = 0; request < REQUESTS && decisions < DECISIONS; request += 1, decisions += 1) {
      const asked = cases.case(entities, native);
      const wanted = byWasm(cedar, asked);
      const got = byClosures(authorizer, asked);
      if (JSON.stringify(got) !== JSON.stringify(wanted)) throw mismatch(cedar, policies, asked, wanted, got);
      found[wanted.decision as 'allow' | 'deny'] += 1;
      if (wanted.decision === 'deny' && wanted.determining.length > 0) found.forbidden += 1;
      if (wanted.errors.length > 0) found.errors += 1;
      if (decisions > 0 && decisions % TOLD_EVERY === 0)
        process.stderr.write(`${decisions} decisions agree\n`);
    }
  }
  // Nothing of the language was left out, and no kind of answer.
  expect(Object.values(found).filter((count) => count < DECISIONS / 50)).toEqual([]);
  expect([...OPERATORS].filter((name) => !operators.has(name))).toEqual([]);
  if (DECISIONS > 10_000)
    console.log({ seed: SEED, decisions: DECISIONS, ...found, operators: Object.fromEntries(operators) });
});

function byWasm(cedar: ReturnType<typeof openCedar>, { json }: Case): Outcome {
  const answer = cedar.statefulIsAuthorized({ ...json, preparsedPolicySetId: 'fuzz' });
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  const { decision, diagnostics } = answer.response;
  const errors = diagnostics.errors.map(({ policyId }) => policyId);
  return { decision, determining: diagnostics.reason.sort(), errors: errors.sort() };
}

function byClosures(authorizer: Authorizer, { request }: Case): Outcome {
  const { decision, determining, errors } = authorizer.decide(request);
  return {
    decision,
    determining: determining.sort(),
    errors: errors.map(({ policy }) => String(policy)).sort(),
  };
}

/** With the policies over which they differ, as text. */
function mismatch(
  cedar: ReturnType<typeof openCedar>,
  policies: Record<string, PolicyJson>,
  asked: Case,
  wanted: Outcome,
  got: Outcome,
): Error {
  const named = (outcome: Outcome): Set<string> => new Set([...outcome.determining, ...outcome.errors]);
  const [left, right] = [named(wanted), named(got)];
  const differing = Object.keys(policies).filter(
    (id) => left.has(id) !== right.has(id) || wanted.errors.includes(id) !== got.errors.includes(id),
  );
  const texts = differing.map((id) => {
    const text = cedar.policyToText(policies[id]);
    return `// ${id}\n${text.type === 'success' ? text.text : JSON.stringify(text)}\n${JSON.stringify(policies[id])}`;
  });
  const told = [wanted, got, ...texts, asked.json].map((part) =>
    typeof part === 'string' ? part : JSON.stringify(part),
  );
  return new Error(`seed ${SEED}: the wasm and the closures differ\n${told.join('\n')}`);
}

const OPERATORS = new Set([
  ...[
    'Value',
    'Var',
    '!',
    'neg',
    '==',
    '!=',
    '<',
    '<=',
    '>',
    '>=',
    '+',
    '-',
    '*',
    '&&',
    '||',
    'if-then-else',
  ],
  ...[
    'in',
    'is',
    'has',
    '.',
    'like',
    'contains',
    'containsAll',
    'containsAny',
    'isEmpty',
    'getTag',
    'hasTag',
  ],
  ...['Set', 'Record', 'decimal', 'lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'],
  ...[
    'ip',
    'isIpv4',
    'isIpv6',
    'isLoopback',
    'isMulticast',
    'isInRange',
    'datetime',
    'offset',
    'durationSince',
  ],
  ...['toDate', 'toTime', 'duration', 'toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'],
]);

function countOperators(value: unknown, counts: Map<string, number>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (OPERATORS.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
    countOperators(member, counts);
  }
}
