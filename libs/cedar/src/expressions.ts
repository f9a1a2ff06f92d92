import type { TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { FUNCTIONS } from './functions.js';
import { add, isLong, type Long, multiply, negate, subtract } from './longs.js';
import { Datetime, Duration } from './extensions.js';
import { compilePattern } from './patterns.js';
import { NotCompilable } from './not-compilable.js';
import type { AuthorizationRequest } from './request.js';
import { type Membership, membership } from './sets.js';
import {
  type CedarRecord,
  contains,
  containsAll,
  containsAny,
  EntityRef,
  equal,
  fault,
  isRecord,
  member,
  memberNamed,
  typeName,
  type Value,
} from './values.js';

/** Throws `EvaluationFault` where Cedar errs. */
export type Evaluate = (request: AuthorizationRequest) => Value;

/** A compiled expression; of one that is the same for each request, its value. */
interface Compiled {
  run: Evaluate;
  constant?: Value;
}

type Json = Record<string, unknown>;
type Operands = Json & { left: Json; right: Json; arg: Json; attr: string | string[] };

/** Compiles an expression of Cedar's JSON form. Throws `NotCompilable` for one that is unknown. */
export function compileExpression(json: unknown): Evaluate {
  return compile(json).run;
}

function compile(json: unknown): Compiled {
  const members = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  if (members.length !== 1) throw new NotCompilable(`${JSON.stringify(json)} is no expression`);
  const [[name, operands]] = members as [[string, unknown]];
  if (Object.hasOwn(OPERATORS, name)) return OPERATORS[name](operands as Operands);
  return compileCall(name, operands);
}

function constant(value: Value): Compiled {
  return { run: () => value, constant: value };
}

/** Of constants only, it is computed once; where that fails, it fails each time, and only when it is come to. */
function folded(parts: readonly Compiled[], run: Evaluate): Compiled {
  if (parts.some((part) => part.constant === undefined)) return { run };
  try {
    return constant(run(undefined as never));
  } catch {
    return { run };
  }
}

function compileCall(name: string, operands: unknown): Compiled {
  const call = FUNCTIONS.get(name);
  if (!call || !Array.isArray(operands))
    throw new NotCompilable(`"${name}" is no operator of Cedar that is known`);
  const args = operands.map(compile);
  if (args.length !== call.length) throw new NotCompilable(`"${name}" takes ${call.length} arguments`);
  const [first, second] = args.map(({ run }) => run);
  return folded(args, second ? (r) => call(first(r), second(r)) : (r) => call(first(r)));
}

const bool = (value: Value): boolean =>
  typeof value === 'boolean' ? value : fault(`type error: expected bool, got ${typeName(value)}`);
const aLong = (value: Value): Long =>
  isLong(value) ? value : fault(`type error: expected long, got ${typeName(value)}`);
const aText = (value: Value): string =>
  typeof value === 'string' ? value : fault(`type error: expected string, got ${typeName(value)}`);
const aSet = (value: Value): readonly Value[] =>
  Array.isArray(value)
    ? (value as readonly Value[])
    : fault(`type error: expected set, got ${typeName(value)}`);
const anEntity = (value: Value): EntityRef =>
  value instanceof EntityRef ? value : fault(`type error: expected entity, got ${typeName(value)}`);

function binary(apply: (left: Value, right: Value) => Value) {
  return ({ left, right }: Operands): Compiled => {
    const [a, b] = [compile(left), compile(right)];
    return folded([a, b], (r) => apply(a.run(r), b.run(r)));
  };
}

function unary(apply: (value: Value) => Value) {
  return ({ arg }: Operands): Compiled => {
    const { run, ...rest } = compile(arg);
    return folded([{ run, ...rest }], (r) => apply(run(r)));
  };
}

/** Longs, datetimes and durations have an order, each among its own. */
function comparison(holds: (left: Long, right: Long) => boolean) {
  return binary((left, right) => {
    if (isLong(left) && isLong(right)) return holds(left, right);
    if (left instanceof Datetime && right instanceof Datetime) return holds(left.epoch, right.epoch);
    if (left instanceof Duration && right instanceof Duration)
      return holds(left.milliseconds, right.milliseconds);
    return fault(`type error: ${typeName(left)} and ${typeName(right)} have no order`);
  });
}

/** `left` is a set; one that is constant becomes a table. */
function onSet(
  withTable: (table: Membership, right: Value) => boolean,
  apply: (left: readonly Value[], right: Value) => boolean,
) {
  return ({ left, right }: Operands): Compiled => {
    const [a, b] = [compile(left), compile(right)];
    if (!Array.isArray(a.constant)) return folded([a, b], (r) => apply(aSet(a.run(r)), b.run(r)));
    const table = membership(a.constant as readonly Value[]);
    return folded([a, b], (r) => withTable(table, b.run(r)));
  };
}

function attributesOf(value: Value, request: AuthorizationRequest): CedarRecord | undefined {
  if (value instanceof EntityRef) return request.entity(value)?.attributes;
  return isRecord(value) ? value : fault(`type error: expected record or entity, got ${typeName(value)}`);
}

function attribute({ left, attr }: Operands): Compiled {
  const name = attr as string;
  const read = memberNamed(name);
  const attributes = ofVariable(left);
  if (attributes) {
    return {
      run: (r) => read(attributes(r) ?? missing(left, r)) ?? lacking(variable(left.Var).run(r), name),
    };
  }
  const { run, constant: known } = compile(left);
  // What an entity has depends on the request.
  const part = known instanceof EntityRef ? { run } : { run, constant: known };
  return folded([part], (r) => {
    const value = run(r);
    const found = attributesOf(value, r);
    if (found === undefined) return fault(`entity \`${String(value)}\` does not exist`);
    return read(found) ?? lacking(value, name);
  });
}

/** How the attributes of what a variable stands for are got, where that is known beforehand. */
function ofVariable({ Var: name }: Json): ((request: AuthorizationRequest) => CedarRecord | null) | null {
  if (name === 'context') return (r) => r.context;
  if (name === 'principal') return (r) => r.principalAttributes;
  if (name === 'resource') return (r) => r.resourceAttributes;
  return null;
}

function missing({ Var: name }: Json, request: AuthorizationRequest): never {
  return fault(`entity \`${String(variable(name).run(request))}\` does not exist`);
}

function lacking(value: Value, name: string): never {
  const owner = value instanceof EntityRef ? `\`${String(value)}\`` : 'record';
  return fault(`${owner} does not have the attribute \`${name}\``);
}

/** `x has a.b.c`: each but the last has to be something that can have an attribute. */
function has({ left, attr }: Operands): Compiled {
  const names = Array.isArray(attr) ? attr : [attr];
  const attributes = ofVariable(left);
  if (attributes && names.length === 1) {
    const read = memberNamed(names[0]);
    return {
      run: (r) => {
        const record = attributes(r);
        return record !== null && read(record) !== undefined;
      },
    };
  }
  const { run } = compile(left);
  return {
    run: (r) => {
      let value = run(r);
      for (const name of names) {
        const record = attributesOf(value, r);
        const found = record && member(record, name);
        if (found === undefined) return false;
        value = found;
      }
      return true;
    },
  };
}

function tagsOf(left: Value, right: Value, request: AuthorizationRequest): [CedarRecord | undefined, string] {
  const entity = anEntity(left);
  const tag = aText(right);
  const found = request.entity(entity);
  return [found && (found.tags ?? {}), tag];
}

function isIn(left: Value, right: Value, request: AuthorizationRequest): boolean {
  const entity = anEntity(left);
  if (right instanceof EntityRef) return request.isIn(entity, right);
  let found = false;
  // Each member has to be an entity, also behind the one that is found.
  for (const member of aSet(right)) found = request.isIn(entity, anEntity(member)) || found;
  return found;
}

function compileIs({ left, entity_type: type, in: within }: Json): Compiled {
  const { run } = compile(left);
  if (typeof type !== 'string') throw new NotCompilable('"is" names no entity type');
  if (within === undefined) return { run: (r) => anEntity(run(r)).type === type };
  const inside = compile(within).run;
  return {
    run: (r) => {
      const entity = anEntity(run(r));
      return entity.type === type && isIn(entity, inside(r), r);
    },
  };
}

function compileRecord(members: Json): Compiled {
  const parts = Object.entries(members).map(([name, member]) => [name, compile(member)] as const);
  return folded(
    parts.map(([, part]) => part),
    (r) => {
      const record: Record<string, Value> = Object.create(null) as Record<string, Value>;
      for (const [name, { run }] of parts) record[name] = run(r);
      return record;
    },
  );
}

function variable(name: unknown): Compiled {
  if (name === 'principal') return { run: (r) => r.principal };
  if (name === 'action') return { run: (r) => r.action };
  if (name === 'resource') return { run: (r) => r.resource };
  if (name === 'context') return { run: (r) => r.context };
  throw new NotCompilable(`there is no variable ${JSON.stringify(name)}`);
}

/** A literal, as `Value` holds it. */
export function literal(json: unknown): Value {
  if (typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json;
    throw new NotCompilable(`${json} is no whole number that JSON can tell exactly`);
  }
  if (Array.isArray(json)) return json.map(literal);
  if (typeof json !== 'object' || json === null)
    throw new NotCompilable(`${JSON.stringify(json)} is no value`);
  const { __entity: entity, __extn: extension } = json as { __entity?: TypeAndId; __extn?: Json };
  if (entity) return new EntityRef(entity.type, entity.id);
  if (!extension) {
    const record: Record<string, Value> = Object.create(null) as Record<string, Value>;
    for (const [name, member] of Object.entries(json)) record[name] = literal(member);
    return record;
  }
  const { fn, arg, args } = extension;
  const call = FUNCTIONS.get(fn as string);
  const values = (Array.isArray(args) ? (args as unknown[]) : [arg]).map(literal);
  if (call?.length !== values.length)
    throw new NotCompilable(`${JSON.stringify(fn)} is no function that is known`);
  return call(...values);
}

const OPERATORS: Record<string, (operands: Operands) => Compiled> = {
  Value: (value: unknown) => constant(literal(value)),
  Var: variable,
  '!': unary((value) => !bool(value)),
  neg: unary((value) => negate(aLong(value))),
  '==': binary(equal),
  '!=': binary((left, right) => !equal(left, right)),
  '<': comparison((left, right) => left < right),
  '<=': comparison((left, right) => left <= right),
  '>': comparison((left, right) => left > right),
  '>=': comparison((left, right) => left >= right),
  '+': binary((left, right) => add(aLong(left), aLong(right))),
  '-': binary((left, right) => subtract(aLong(left), aLong(right))),
  '*': binary((left, right) => multiply(aLong(left), aLong(right))),
  '&&': ({ left, right }) => {
    const [a, b] = [compile(left).run, compile(right).run];
    return { run: (r) => bool(a(r)) && bool(b(r)) };
  },
  '||': ({ left, right }) => {
    const [a, b] = [compile(left).run, compile(right).run];
    return { run: (r) => bool(a(r)) || bool(b(r)) };
  },
  'if-then-else': (operands) => {
    const { if: test, then: yes, else: no } = operands as Json;
    const [a, b, c] = [compile(test).run, compile(yes).run, compile(no).run];
    return { run: (r) => (bool(a(r)) ? b(r) : c(r)) };
  },
  in: ({ left, right }) => {
    const [a, b] = [compile(left).run, compile(right).run];
    return { run: (r) => isIn(a(r), b(r), r) };
  },
  is: compileIs,
  has,
  '.': attribute,
  like: ({ left, pattern }) => {
    const { run } = compile(left);
    const matches = compilePattern(pattern);
    return { run: (r) => matches(aText(run(r))) };
  },
  contains: onSet(
    (table, member) => table.has(member),
    (set, member) => contains(set, member),
  ),
  containsAll: onSet(
    (table, members) => aSet(members).every((member) => table.has(member)),
    (set, members) => containsAll(set, aSet(members)),
  ),
  containsAny: onSet(
    (table, members) => aSet(members).some((member) => table.has(member)),
    (set, members) => containsAny(set, aSet(members)),
  ),
  isEmpty: unary((value) => aSet(value).length === 0),
  hasTag: ({ left, right }) => {
    const [a, b] = [compile(left).run, compile(right).run];
    return {
      run: (r) => {
        const [tags, tag] = tagsOf(a(r), b(r), r);
        return tags !== undefined && member(tags, tag) !== undefined;
      },
    };
  },
  getTag: ({ left, right }) => {
    const [a, b] = [compile(left).run, compile(right).run];
    return {
      run: (r) => {
        const [tags, tag] = tagsOf(a(r), b(r), r);
        return (
          (tags && member(tags, tag)) ??
          fault(tags ? `there is no tag \`${tag}\`` : 'the entity does not exist')
        );
      },
    };
  },
  Set: (members: unknown) => {
    if (!Array.isArray(members)) throw new NotCompilable('a set lists its members');
    const parts = members.map(compile);
    return folded(parts, (r) => parts.map(({ run }) => run(r)));
  },
  Record: compileRecord,
};
