import type { Datetime, Decimal, Duration, IpAddress } from './extensions.js';

/**
 * A value of Cedar as JavaScript has it, so that facts need no conversion. A Long is a number while it is a safe integer, a
 * bigint beyond; an array is a set, in any order and with any repetition; an object without a class is a record.
 */
export type Value =
  | string
  | boolean
  | number
  | bigint
  | EntityRef
  | Decimal
  | IpAddress
  | Datetime
  | Duration
  | readonly Value[]
  | CedarRecord;

export interface CedarRecord {
  readonly [name: string]: Value;
}

/** The name of an entity: `Berth::User::"ada"` has the type `Berth::User` and the id `ada`. */
export class EntityRef {
  constructor(
    readonly type: string,
    readonly id: string,
  ) {}

  toString(): string {
    return `${this.type}::${JSON.stringify(this.id)}`;
  }
}

/** An entity as a request tells of it. */
export interface Entity {
  readonly ref: EntityRef;
  readonly attributes: CedarRecord;
  readonly tags?: CedarRecord;
  /** All that it is `in`, at any distance, itself left out. */
  readonly ancestors: readonly EntityRef[];
}

/** A policy cannot be evaluated for a request: a type that does not fit, something that is not there, an overflow. */
export class EvaluationFault extends Error {
  override readonly name = 'EvaluationFault';
}

export function fault(message: string): never {
  throw new EvaluationFault(message);
}

/**
 * What a record or an entity has by a name: its own, as nothing that JavaScript gives every object was told of, and not
 * `undefined`, which is how facts leave out what is optional.
 */
export function member(record: CedarRecord, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** `member` of one name, made once: most names are none that JavaScript gives every object, and need no look whose they are. */
export function memberNamed(name: string): (record: CedarRecord) => Value | undefined {
  return name in Object.prototype ? (record) => member(record, name) : (record) => record[name];
}

export function isRecord(value: Value): value is CedarRecord {
  if (typeof value !== 'object' || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Cedar's name of a value's type, for messages. */
export function typeName(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'long';
  if (Array.isArray(value)) return 'set';
  if (value instanceof EntityRef) return `(entity of type \`${value.type}\`)`;
  return isRecord(value) ? 'record' : value.constructor.name.toLowerCase();
}

export function sameRef(left: EntityRef, right: EntityRef): boolean {
  return left === right || (left.id === right.id && left.type === right.type);
}

/** `==`, which holds for values of one type only and never fails. */
export function equal(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left instanceof EntityRef) return right instanceof EntityRef && sameRef(left, right);
  return canonical(left) === canonical(right);
}

/**
 * A text that two values share where they are equal, and only there. Sets within sets compared member by member, one way and the
 * other, would take twice the time for each level.
 */
function canonical(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) {
    return `[${[...new Set((value as readonly Value[]).map(canonical))].sort().join()}]`;
  }
  if (!isRecord(value)) return `${typeName(value)}(${String(value)})`;
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join()}}`;
}

export function contains(set: readonly Value[], member: Value): boolean {
  if (typeof member !== 'object') return set.includes(member);
  for (const candidate of set) if (equal(candidate, member)) return true;
  return false;
}

/** More members than this are looked up in a table, as far as they are no objects. */
const FEW = 16;

export function containsAll(set: readonly Value[], members: readonly Value[]): boolean {
  if (set.length > FEW && members.length > FEW) {
    const table = new Set(set);
    return members.every(
      (member) => table.has(member) || (typeof member === 'object' && contains(set, member)),
    );
  }
  for (const member of members) if (!contains(set, member)) return false;
  return true;
}

export function containsAny(set: readonly Value[], members: readonly Value[]): boolean {
  for (const member of members) if (contains(set, member)) return true;
  return false;
}
