import { add, type Long, long, subtract } from './longs.js';
import { fault } from './values.js';

/** The extension types of Cedar: its language reference, "Data types". Each has one text form that it is made from. */

/** `decimal("1.2345")`: one to four digits after the point, kept as ten-thousandths. */
export class Decimal {
  private constructor(readonly units: Long) {}

  static parse(text: string): Decimal {
    const match = /^(-?\d+)\.(\d{1,4})$/.exec(text);
    if (!match) return fault(`${JSON.stringify(text)} is not a well-formed decimal value`);
    const [, whole, fraction] = match;
    return new Decimal(long(BigInt(whole + fraction.padEnd(4, '0'))));
  }

  toString(): string {
    return String(this.units);
  }
}

/** `duration("1d2h3m4s5ms")`, in milliseconds. */
export class Duration {
  constructor(readonly milliseconds: Long) {}

  static parse(text: string): Duration {
    const match = /^(-)?(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
    if (!match) return fault(`${JSON.stringify(text)} is not a well-formed duration`);
    const [, minus, ...parts] = match;
    let sum = 0n;
    // Each step has to be a Long, as in Cedar's own reading.
    for (const [index, part] of parts.entries()) {
      const amount = BigInt(long(BigInt(part ?? 0) * (minus ? -1n : 1n)));
      sum = BigInt(long(sum + BigInt(long(amount * UNITS[index]))));
    }
    return new Duration(long(sum));
  }

  toString(): string {
    return String(this.milliseconds);
  }

  /** In whole units, towards zero. */
  to(unit: bigint): Long {
    return long(BigInt(this.milliseconds) / unit);
  }
}

export const SECOND = 1_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;
export const DAY = 24n * HOUR;
const UNITS = [DAY, HOUR, MINUTE, SECOND, 1n] as const;

const DATETIME = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?:Z|([+-])(\d\d)(\d\d)))?$/;

/** `datetime("2024-10-15T11:35:00.000+0100")`, in milliseconds since 1970. */
export class Datetime {
  constructor(readonly epoch: Long) {}

  static parse(text: string): Datetime {
    const match = DATETIME.exec(text);
    const epoch = match && epochOf(match);
    if (epoch === null) return fault(`${JSON.stringify(text)} is not a well-formed datetime`);
    return new Datetime(epoch);
  }

  toString(): string {
    return String(this.epoch);
  }

  offset(by: Duration): Datetime {
    return new Datetime(add(this.epoch, by.milliseconds));
  }

  durationSince(other: Datetime): Duration {
    return new Duration(subtract(this.epoch, other.epoch));
  }

  /** Midnight before it. */
  toDate(): Datetime {
    return new Datetime(long(BigInt(this.epoch) - this.sinceMidnight()));
  }

  toTime(): Duration {
    return new Duration(long(this.sinceMidnight()));
  }

  private sinceMidnight(): bigint {
    return (((BigInt(this.epoch) % DAY) + DAY) % DAY) as bigint;
  }
}

function epochOf(match: RegExpExecArray): number | null {
  const [year, month, day] = match.slice(1, 4).map(Number);
  const [hour, minute, second, milliseconds] = match.slice(4, 8).map((part) => Number(part ?? 0));
  const [offsetHours, offsetMinutes] = match.slice(9, 11).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const offset = (offsetHours * 60 + offsetMinutes) * 60_000 * (match[8] === '-' ? -1 : 1);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds - offset + 0;
}

/** `ip("192.168.0.0/16")`: an address, and how many of its bits name a range. */
export class IpAddress {
  private constructor(
    readonly version: 4 | 6,
    readonly bits: bigint,
    readonly prefix: number,
  ) {}

  static parse(text: string): IpAddress {
    return readAddress(text, (version, bits, prefix) => new IpAddress(version, bits, prefix));
  }

  toString(): string {
    return `${this.version}:${this.bits}/${this.prefix}`;
  }

  isLoopback(): boolean {
    return this.version === 4 ? this.isWithin(127n << 24n, 8) : this.isWithin(1n, 128);
  }

  isMulticast(): boolean {
    return this.version === 4 ? this.isWithin(0xe0n << 24n, 4) : this.isWithin(0xffn << 120n, 8);
  }

  isInRange(range: IpAddress): boolean {
    return this.version === range.version && this.isWithin(range.bits, range.prefix);
  }

  private isWithin(bits: bigint, prefix: number): boolean {
    const rest = BigInt((this.version === 4 ? 32 : 128) - prefix);
    return this.prefix >= prefix && this.bits >> rest === bits >> rest;
  }
}

/** The longest text that Cedar takes for an address. */
const LONGEST_ADDRESS = 43;

function readAddress<T>(text: string, make: (version: 4 | 6, bits: bigint, prefix: number) => T): T {
  const bad = (): never => fault(`${JSON.stringify(text)} is not a well-formed IP address`);
  if (text.length > LONGEST_ADDRESS) return bad();
  const [address, length, ...more] = text.split('/');
  if (more.length > 0) return bad();
  const version = address.includes(':') ? 6 : 4;
  const bits = version === 4 ? readVersion4(address) : readVersion6(address);
  const most = version === 4 ? 32 : 128;
  if (bits === null) return bad();
  if (length === undefined) return make(version, bits, most);
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > most) return bad();
  return make(version, bits, Number(length));
}

function readVersion4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

function readVersion6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<string>(tail ? missing : 0).fill('0'), ...(tail ?? [])];
  let bits = 0n;
  for (const group of groups) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    bits = (bits << 16n) | BigInt(`0x${group}`);
  }
  return bits;
}
