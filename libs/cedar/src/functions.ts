import { DAY, Datetime, Decimal, Duration, HOUR, IpAddress, MINUTE, SECOND } from './extensions.js';
import { fault, typeName, type Value } from './values.js';

type Class<T> = (abstract new (...args: never[]) => T) | { prototype: T };

function text(value: Value): string {
  return typeof value === 'string' ? value : fault(`type error: expected string, got ${typeName(value)}`);
}

function of<T extends Value>(type: Class<T>, value: Value): T {
  if (typeof value === 'object' && value instanceof (type as unknown as abstract new () => T)) return value;
  return fault(
    `type error: expected ${type.prototype.constructor.name.toLowerCase()}, got ${typeName(value)}`,
  );
}

const decimals =
  (compare: (left: Decimal['units'], right: Decimal['units']) => boolean) =>
  (left: Value, right: Value): Value =>
    compare(of(Decimal, left).units, of(Decimal, right).units);
const durations =
  (unit: bigint) =>
  (value: Value): Value =>
    of(Duration, value).to(unit);

/** The functions and methods of the extension types, by name; the first argument of a method is what it is called on. */
export const FUNCTIONS: ReadonlyMap<string, (...args: Value[]) => Value> = new Map(
  Object.entries<(...args: Value[]) => Value>({
    decimal: (value: Value) => Decimal.parse(text(value)),
    lessThan: decimals((left, right) => left < right),
    lessThanOrEqual: decimals((left, right) => left <= right),
    greaterThan: decimals((left, right) => left > right),
    greaterThanOrEqual: decimals((left, right) => left >= right),

    ip: (value: Value) => IpAddress.parse(text(value)),
    isIpv4: (value: Value) => of(IpAddress, value).version === 4,
    isIpv6: (value: Value) => of(IpAddress, value).version === 6,
    isLoopback: (value: Value) => of(IpAddress, value).isLoopback(),
    isMulticast: (value: Value) => of(IpAddress, value).isMulticast(),
    isInRange: (value: Value, range: Value) => of(IpAddress, value).isInRange(of(IpAddress, range)),

    datetime: (value: Value) => Datetime.parse(text(value)),
    offset: (value: Value, by: Value) => of(Datetime, value).offset(of(Duration, by)),
    durationSince: (value: Value, other: Value) => of(Datetime, value).durationSince(of(Datetime, other)),
    toDate: (value: Value) => of(Datetime, value).toDate(),
    toTime: (value: Value) => of(Datetime, value).toTime(),

    duration: (value: Value) => Duration.parse(text(value)),
    toMilliseconds: durations(1n),
    toSeconds: durations(SECOND),
    toMinutes: durations(MINUTE),
    toHours: durations(HOUR),
    toDays: durations(DAY),
  }),
);
