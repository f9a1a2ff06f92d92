import type { Random } from './random.js';

export type Kind =
  'bool' | 'long' | 'string' | 'entity' | 'set' | 'record' | 'decimal' | 'ip' | 'datetime' | 'duration';
export const KINDS: readonly Kind[] = [
  ...(['bool', 'long', 'string', 'entity', 'set', 'record'] as const),
  ...(['decimal', 'ip', 'datetime', 'duration'] as const),
];

export const ENTITY_TYPES = ['User', 'Team', 'App::Doc'];
export const IDS = ['a', 'b', 'c', 'd"\\', 'é'];
/** Of attributes, each with the kind that it mostly has. */
export const ATTRIBUTES: Readonly<Record<string, Kind>> = {
  ...{ flag: 'bool', n: 'long', s: 'string', owner: 'entity', items: 'set', nested: 'record' },
  ...{ price: 'decimal', address: 'ip', at: 'datetime', span: 'duration', 'a b': 'long' },
};
/** What JavaScript's objects have, and no entity. */
const TRAPS = ['constructor', 'toString', '__proto__', 'length', 'hasOwnProperty'];
export const TAGS = ['x', 'y', 'constructor'];

const STRINGS = ['', 'a', 'b', 'ab', 'abc', 'a*c', '*', 'aXbXc', 'é', '\u{1F600}', '__entity', '\u0000'];
const NUMBERS = [
  0,
  1,
  -1,
  2,
  3,
  60,
  -7,
  1_000,
  4_294_967_296,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
];
const DECIMALS = ['0.0', '1.5', '-1.50', '0.0001', '922337203685477.5807', '-922337203685477.5808'];
const BAD_DECIMALS = ['1', '1.00000', '922337203685477.5808', '.5', '1.', '+1.0', '', '-0.0001 '];
const ADDRESSES = [
  ...[
    '127.0.0.1',
    '10.0.0.1',
    '10.0.0.0/8',
    '0.0.0.0/0',
    '224.0.0.1',
    '239.1.2.3/4',
    '127.3.0.0/16',
    '10.1.2.3/32',
  ],
  ...[
    '::1',
    '::',
    'ff02::1',
    'fe80::1/64',
    '2001:db8::/32',
    '1:2:3:4:5:6:7:8',
    '::/0',
    '1::8/128',
    'ABCD::ef01',
    'ff00::/7',
  ],
];
const BAD_ADDRESSES = [
  ...[
    '',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4/33',
    '1.2.3.4/',
    '::1/129',
    '::ffff:1.2.3.4',
    '1::2::3',
    '1.2.3.4/08',
    'g::1',
  ],
  ...['1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', '12345::', ':1', '1:', '1.2.3.4 ', '1.2.3.4/8/8', '256.0.0.1'],
];
const DATETIMES = [
  ...['1970-01-01', '2024-10-15', '0000-01-01', '9999-12-31', '2024-02-29', '1969-12-31T23:59:59Z'],
  ...[
    '2024-10-15T11:35:00Z',
    '2024-10-15T11:35:00.123Z',
    '2024-10-15T11:35:00+0130',
    '1960-01-01T00:00:00.001-2359',
  ],
];
const BAD_DATETIMES = [
  ...[
    '',
    '2023-02-29',
    '2024-13-01',
    '2024-10-15T24:00:00Z',
    '2024-10-15T11:35:60Z',
    '2024-10-15T11:35Z',
    '2024-10-15Z',
  ],
  ...[
    '2024-10-15T11:35:00',
    '2024-10-15T11:35:00+2400',
    '2024-10-15T11:35:00.1Z',
    '2024-10-15T11:35:00+01:00',
    '24-10-15',
  ],
];
const DURATIONS = [
  '0ms',
  '1d',
  '-1d',
  '1h30m',
  '1d2h3m4s5ms',
  '90s',
  '500ms',
  '-3ms',
  '106751991167d',
  '9223372036854775807ms',
];
const BAD_DURATIONS = [
  '',
  '1',
  '1s1h',
  '1ms1s',
  'd',
  '-',
  '1.5s',
  '106751991168d',
  '9223372036854775808ms',
  '+1s',
  '1h ',
  '--1s',
];

const CALLS: Readonly<Partial<Record<Kind, readonly [name: string, ...args: Kind[]][]>>> = {
  bool: [
    ...(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'] as const).map(
      (name) => [name, 'decimal', 'decimal'] as [string, ...Kind[]],
    ),
    ...(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'] as const).map(
      (name) => [name, 'ip'] as [string, ...Kind[]],
    ),
    ['isInRange', 'ip', 'ip'],
    ['isInRange', 'ip', 'ip'],
  ],
  long: ['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'].map((name) => [name, 'duration']),
  datetime: [
    ['offset', 'datetime', 'duration'],
    ['toDate', 'datetime'],
  ],
  duration: [
    ['durationSince', 'datetime', 'datetime'],
    ['toTime', 'datetime'],
  ],
};

/** Random expressions in Cedar's JSON form. Mostly of the kind that is asked for, and now and then of another. */
export class RandomExpressions {
  constructor(private readonly random: Random) {}

  text(kind: 'decimal' | 'ip' | 'datetime' | 'duration', badShare = 0.1): string {
    const good = { decimal: DECIMALS, ip: ADDRESSES, datetime: DATETIMES, duration: DURATIONS }[kind];
    const bad = {
      decimal: BAD_DECIMALS,
      ip: BAD_ADDRESSES,
      datetime: BAD_DATETIMES,
      duration: BAD_DURATIONS,
    }[kind];
    return this.random.pick(this.random.chance(badShare) ? bad : good);
  }

  uid(): { type: string; id: string } {
    return { type: this.random.pick(ENTITY_TYPES), id: this.random.pick(IDS) };
  }

  /** A value, as entities and contexts hold it. */
  value(kind: Kind, depth: number): unknown {
    const { random } = this;
    const wanted = random.chance(0.02) ? random.pick(KINDS) : kind;
    switch (wanted) {
      case 'bool':
        return random.chance(0.5);
      case 'long':
        return random.pick(NUMBERS);
      case 'string':
        return random.pick(STRINGS);
      case 'entity':
        return { __entity: this.uid() };
      case 'set':
        return random.some(depth > 0 ? 4 : 0, () => this.value(random.pick(KINDS), depth - 1));
      case 'record':
        return this.attributes(depth > 0 ? depth - 1 : -1);
      default:
        return { __extn: { fn: wanted, arg: this.text(wanted, 0) } };
    }
  }

  attributes(depth: number): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    if (depth < 0) return found;
    for (const [name, kind] of Object.entries(ATTRIBUTES)) {
      if (this.random.chance(0.92)) found[name] = this.value(kind, depth);
    }
    return found;
  }

  expression(kind: Kind, depth: number): unknown {
    const { random } = this;
    const wanted = random.chance(0.015) ? random.pick(KINDS) : kind;
    if (depth <= 0) return this.leaf(wanted);
    const shape = random.next();
    if (shape < 0.1) return this.leaf(wanted);
    if (shape < 0.3) return this.access(wanted, depth - 1);
    if (shape < 0.38) {
      const [yes, no] = [this.expression(wanted, depth - 1), this.expression(wanted, depth - 1)];
      return { 'if-then-else': { if: this.expression('bool', depth - 1), then: yes, else: no } };
    }
    return this.operation(wanted, depth - 1);
  }

  private leaf(kind: Kind): unknown {
    const { random } = this;
    if (random.chance(0.3)) return this.access(kind, 0);
    switch (kind) {
      case 'entity':
        return random.chance(0.6) ? { Var: random.pick(['principal', 'resource', 'action']) } : this.entity();
      case 'record':
        return random.chance(0.7) ? { Var: 'context' } : { Record: {} };
      case 'set':
        return { Set: random.some(3, () => ({ Value: random.pick([...NUMBERS, ...STRINGS]) })) };
      case 'bool':
      case 'long':
      case 'string':
        return { Value: this.plain(kind) };
      default:
        return { [kind]: [{ Value: this.text(kind) }] };
    }
  }

  private plain(kind: 'bool' | 'long' | 'string'): unknown {
    if (kind === 'bool') return this.random.chance(0.5);
    return this.random.pick<unknown>(kind === 'long' ? NUMBERS : STRINGS);
  }

  private entity(): unknown {
    return { Value: { __entity: this.uid() } };
  }

  /** An attribute or a tag that mostly holds such a value. */
  private access(kind: Kind, depth: number): unknown {
    const { random } = this;
    const names = Object.keys(ATTRIBUTES).filter((name) => ATTRIBUTES[name] === kind);
    const attr = random.chance(0.05) ? random.pick(TRAPS) : random.pick(names);
    const left = this.expression(random.chance(0.5) ? 'record' : 'entity', depth);
    const got = { '.': { left, attr } };
    if (!random.chance(0.3)) return got;
    return { 'if-then-else': { if: { has: { left, attr } }, then: got, else: this.leaf(kind) } };
  }

  private operation(kind: Kind, depth: number): unknown {
    const { random } = this;
    const calls = CALLS[kind] ?? [];
    if (calls.length > 0 && random.chance(kind === 'bool' ? 0.25 : kind === 'long' ? 0.3 : 0.7)) {
      const [name, ...args] = random.pick(calls);
      return { [name]: args.map((arg) => this.expression(arg, depth)) };
    }
    const two = (name: string, left: Kind, right: Kind = left): unknown => ({
      [name]: { left: this.expression(left, depth), right: this.expression(right, depth) },
    });
    switch (kind) {
      case 'bool':
        return this.question(depth, two);
      case 'long':
        return random.chance(0.2)
          ? { neg: { arg: this.expression('long', depth) } }
          : two(random.pick(['+', '-', '*']), 'long');
      case 'set':
        return { Set: random.some(4, () => this.expression(random.pick(KINDS), depth)) };
      case 'record':
        return {
          Record: Object.fromEntries(
            random
              .some(3, () => random.pick(Object.keys(ATTRIBUTES)))
              .map((name) => [name, this.expression(ATTRIBUTES[name], depth)]),
          ),
        };
      case 'decimal':
      case 'ip':
      case 'datetime':
      case 'duration':
        return { [kind]: [{ Value: this.text(kind) }] };
      default: {
        const read = {
          getTag: { left: this.expression('entity', depth), right: { Value: random.pick(TAGS) } },
        };
        return random.chance(0.3) ? read : this.leaf(kind);
      }
    }
  }

  private question(depth: number, two: (name: string, left: Kind, right?: Kind) => unknown): unknown {
    const { random } = this;
    const left = (kind: Kind): unknown => this.expression(kind, depth);
    const questions: (() => unknown)[] = [
      () => two(random.pick(['&&', '||']), 'bool'),
      () => two(random.pick(['&&', '||']), 'bool'),
      () => ({ '!': { arg: left('bool') } }),
      () => {
        const kind = random.pick(KINDS);
        return two(random.pick(['==', '!=']), kind, random.chance(0.9) ? kind : random.pick(KINDS));
      },
      () =>
        two(
          random.pick(['<', '<=', '>', '>=']),
          random.pick(['long', 'long', 'datetime', 'duration'] as const),
        ),
      () => two('in', 'entity'),
      () => ({
        in: { left: left('entity'), right: { Set: random.some(3, () => this.expression('entity', depth)) } },
      }),
      () => ({ is: { left: left('entity'), entity_type: random.pick(ENTITY_TYPES) } }),
      () => ({ is: { left: left('entity'), entity_type: random.pick(ENTITY_TYPES), in: left('entity') } }),
      () => ({ has: { left: left(random.pick(['entity', 'record'] as const)), attr: this.name() } }),
      () => ({
        has: {
          left: left(random.pick(['entity', 'record'] as const)),
          attr: ['nested', ...random.some(1, () => 'nested'), this.name()],
        },
      }),
      () => ({ like: { left: left('string'), pattern: this.pattern() } }),
      () => two('contains', 'set', random.pick(KINDS)),
      () => two(random.pick(['containsAll', 'containsAny']), 'set'),
      () => ({ isEmpty: { arg: left('set') } }),
      () => ({ hasTag: { left: left('entity'), right: { Value: random.pick(TAGS) } } }),
    ];
    return random.pick(questions)();
  }

  private name(): string {
    return this.random.pick(this.random.chance(0.1) ? TRAPS : Object.keys(ATTRIBUTES));
  }

  private pattern(): unknown[] {
    const part = (): unknown =>
      this.random.chance(0.5) ? 'Wildcard' : { Literal: this.random.pick(['a', 'b', 'c', 'X', '*', 'é']) };
    return [part(), ...this.random.some(3, part)];
  }
}
