import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { type Authorization, Authorizer, type AuthorizationRequest } from '../src/index.js';
import { nativeEntities, RandomCases } from './random-cases.js';
import { Random } from './random.js';

const SETS = 400;
const REQUESTS = 10;
const ENOUGH = 20;
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_127);

type Policies = [string, PolicyJson][];

const all = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' } } as const;
const permitAll: PolicyJson = { effect: 'permit', ...all, conditions: [] };
const forbidAll: PolicyJson = { effect: 'forbid', ...all, conditions: [] };

/** Calls `check` with random sets and requests to each, and expects it to have said `true` often enough to have shown something. */
function forRandomSets(
  check: (policies: Policies, request: AuthorizationRequest, random: Random) => boolean,
): void {
  const random = new Random(SEED);
  const cases = new RandomCases(random);
  let shown = 0;
  for (let set = 0; set < SETS; set += 1) {
    const policies = Array.from({ length: random.below(7) }, (_, index): Policies[number] => [
      `p${index}`,
      cases.policy(),
    ]);
    const entities = cases.entities();
    const native = nativeEntities(entities);
    for (let request = 0; request < REQUESTS; request += 1) {
      if (check(policies, cases.case(entities, native).request, random)) shown += 1;
    }
  }
  expect(shown).toBeGreaterThan(ENOUGH);
}

function decide(policies: Policies, request: AuthorizationRequest): Authorization {
  const { decision, determining, errors } = new Authorizer(policies).decide(request);
  return { decision, determining: determining.sort(), errors: errors.sort(byPolicy) };
}

const byPolicy = (left: { policy: string | null }, right: { policy: string | null }): number =>
  String(left.policy) < String(right.policy) ? -1 : 1;

describe('whatever the policies, the entities and the request', () => {
  it('nothing is allowed that no permit allows', () => {
    forRandomSets((policies, request) => {
      const forbids = policies.filter(([, { effect }]) => effect === 'forbid');
      expect(decide(forbids, request).decision).toBe('deny');
      const { decision, determining } = decide(policies, request);
      const permits = new Set(policies.filter(([, { effect }]) => effect === 'permit').map(([id]) => id));
      if (decision === 'allow') {
        expect(determining.length).toBeGreaterThan(0);
        expect(determining.every((id) => permits.has(id))).toBe(true);
      }
      return decision === 'deny' && determining.length === 0;
    });
  });

  it('a forbid that holds wins over any permits', () => {
    forRandomSets((policies, request) => {
      expect(decide([...policies, ['none', forbidAll]], request).decision).toBe('deny');
      const { decision, determining } = decide(policies, request);
      if (decision === 'allow' || determining.length === 0) return false;
      expect(decide([...policies, ['all', permitAll]], request)).toMatchObject({ decision, determining });
      return true;
    });
  });

  it('one forbid more never allows what was denied, one permit more never denies what was allowed', () => {
    forRandomSets((policies, request) => {
      const [first, ...others] = policies;
      if (!first) return false;
      const without = decide(others, request).decision;
      const withIt = decide(policies, request).decision;
      if (without !== withIt) expect(withIt).toBe(first[1].effect === 'permit' ? 'allow' : 'deny');
      return without !== withIt;
    });
  });

  it('a narrower scope only takes away from what a policy holds for', () => {
    forRandomSets((policies, request, random) => {
      const [first] = policies;
      if (!first) return false;
      const { type, id } = random.pick(request.entities).ref;
      const scope = random.pick([
        { op: '==', entity: { type, id } },
        { op: 'in', entity: { type, id } },
        { op: 'is', entity_type: type },
      ] as PolicyJson['resource'][]);
      const policy = { ...first[1], resource: { op: 'All' } } as PolicyJson;
      const wide = decide([['p', policy]], request);
      const narrow = decide([['p', { ...policy, resource: scope }]], request);
      expect(wide.determining).toEqual(expect.arrayContaining(narrow.determining));
      expect(wide.errors).toEqual(expect.arrayContaining(narrow.errors));
      return wide.determining.length > narrow.determining.length;
    });
  });

  it('the order of the policies says nothing', () => {
    forRandomSets((policies, request, random) => {
      const decided = decide(policies, request);
      expect(decide(random.shuffled(policies), request)).toEqual(decided);
      return decided.determining.length > 1;
    });
  });

  it('each policy is decided by itself: what one does or fails to do changes no other', () => {
    forRandomSets((policies, request) => {
      const together = decide(policies, request);
      const alone = policies.map(([id, policy]) => ({ id, policy, ...decide([[id, policy]], request) }));
      expect(together.errors).toEqual(alone.flatMap(({ errors }) => errors).sort(byPolicy));
      const holding = alone.filter(({ determining }) => determining.length > 0);
      const forbids = holding.filter(({ policy }) => policy.effect === 'forbid');
      expect(together.determining).toEqual(
        (forbids.length > 0 ? forbids : holding).map(({ id }) => id).sort(),
      );
      return holding.length > 0 && together.errors.length > 0;
    });
  });
});
