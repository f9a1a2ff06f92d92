import type { EntityJson, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { AuthorizationRequest, EntityRef, literal, type CedarRecord, type Entity } from '../src/index.js';
import type { Random } from './random.js';
import { ENTITY_TYPES, IDS, RandomExpressions, TAGS } from './random-expressions.js';

const ACTIONS = ['read', 'write', 'run'];
const GROUPS = ['any', 'changing'];

/** The same question for both evaluators. */
export interface Case {
  json: {
    principal: { type: string; id: string };
    action: { type: string; id: string };
    resource: { type: string; id: string };
    context: Record<string, never>;
    entities: EntityJson[];
  };
  request: AuthorizationRequest;
}

/** Random policies, entities and requests. */
export class RandomCases {
  private readonly expressions: RandomExpressions;

  constructor(private readonly random: Random) {
    this.expressions = new RandomExpressions(random);
  }

  policy(): PolicyJson {
    const { random } = this;
    const conditions = random.some(2, () => ({
      kind: random.pick(['when', 'when', 'unless'] as const),
      body: random.chance(0.2) ? this.guarded() : this.expressions.expression('bool', 1 + random.below(5)),
    }));
    return {
      effect: random.chance(0.65) ? 'permit' : 'forbid',
      principal: this.scope(),
      action: this.actionScope(),
      resource: this.scope(),
      conditions: conditions.length > 0 ? conditions : [{ kind: 'when', body: this.guarded() }],
    } as PolicyJson;
  }

  entities(): EntityJson[] {
    const { random, expressions } = this;
    const uids = ENTITY_TYPES.flatMap((type) => IDS.map((id) => ({ type, id })));
    const [always, ...others] = uids;
    const entities = [always, ...others.filter(() => random.chance(0.35))].map((uid): EntityJson => {
      // Only what stands later in the list: no entity is within itself.
      const parents = uids.filter((_, other) => other > uids.indexOf(uid) && random.chance(0.12));
      const attrs = expressions.attributes(1) as EntityJson['attrs'];
      const tags = random.chance(0.5)
        ? Object.fromEntries(
            TAGS.filter(() => random.chance(0.6)).map((tag) => [tag, expressions.value('string', 1)]),
          )
        : undefined;
      return { uid, attrs, parents, ...(tags && { tags: tags as EntityJson['attrs'] }) };
    });
    const actions = ACTIONS.map((id) => ({
      uid: { type: 'Action', id },
      attrs: {},
      parents: GROUPS.filter(() => random.chance(0.5)).map((group) => ({ type: 'Action', id: group })),
    }));
    return [...entities, ...actions];
  }

  case(entities: EntityJson[], native: readonly Entity[]): Case {
    const { random, expressions } = this;
    const some = (): { type: string; id: string } =>
      random.chance(0.9) ? uidOf(random.pick(entities.slice(0, -ACTIONS.length)).uid) : expressions.uid();
    const json = {
      principal: some(),
      action: { type: 'Action', id: random.pick(ACTIONS) },
      resource: some(),
      context: expressions.attributes(2) as Record<string, never>,
      entities,
    };
    const { principal, action, resource, context } = json;
    const request = new AuthorizationRequest({
      ...{ principal: ref(principal), action: ref(action), resource: ref(resource) },
      ...{ context: literal(context) as CedarRecord, entities: native },
    });
    return { json, request };
  }

  private scope(): unknown {
    const { random } = this;
    const entity = this.expressions.uid();
    const shape = random.next();
    if (shape < 0.7) return { op: 'All' };
    if (shape < 0.76) return { op: '==', entity };
    if (shape < 0.84) return { op: 'in', entity };
    if (shape < 0.92) return { op: 'is', entity_type: entity.type };
    return { op: 'is', entity_type: random.pick(ENTITY_TYPES), in: { entity } };
  }

  private actionScope(): unknown {
    const { random } = this;
    const uid = (ids: readonly string[]): unknown => ({ type: 'Action', id: random.pick(ids) });
    const shape = random.next();
    if (shape < 0.6) return { op: 'All' };
    if (shape < 0.7) return { op: '==', entity: uid(ACTIONS) };
    if (shape < 0.85) return { op: 'in', entity: uid([...GROUPS, ...ACTIONS]) };
    return { op: 'in', entities: random.some(3, () => uid([...GROUPS, ...ACTIONS])) };
  }

  /** Which entity it is, and then something else: what an index makes something of. */
  private guarded(): unknown {
    const { random, expressions } = this;
    const left = { Var: random.pick(['principal', 'resource']) };
    const right = { Value: { __entity: expressions.uid() } };
    const guard = random.pick<unknown>([
      { in: { left, right } },
      { '==': { left, right } },
      { is: { left, entity_type: random.pick(ENTITY_TYPES) } },
    ]);
    return { '&&': { left: guard, right: expressions.expression('bool', 3) } };
  }
}

export function nativeEntities(entities: readonly EntityJson[]): Entity[] {
  const parents = new Map(entities.map(({ uid, parents: direct }) => [keyOf(uid), direct.map(uidOf)]));
  return entities.map(({ uid, attrs, tags }) => {
    const above = new Map<string, EntityRef>();
    const waiting = [...(parents.get(keyOf(uid)) ?? [])];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if (above.has(keyOf(next))) continue;
      above.set(keyOf(next), ref(next));
      waiting.push(...(parents.get(keyOf(next)) ?? []));
    }
    return {
      ref: ref(uidOf(uid)),
      attributes: literal(attrs) as CedarRecord,
      ...(tags && { tags: literal(tags) as CedarRecord }),
      ancestors: [...above.values()],
    };
  });
}

function uidOf(uid: EntityJson['uid']): { type: string; id: string } {
  return '__entity' in uid ? uid.__entity : uid;
}

function keyOf(uid: EntityJson['uid']): string {
  const { type, id } = uidOf(uid);
  return JSON.stringify([type, id]);
}

function ref({ type, id }: { type: string; id: string }): EntityRef {
  return new EntityRef(type, id);
}
