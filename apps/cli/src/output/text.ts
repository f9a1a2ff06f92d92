const ESCAPE = String.fromCharCode(0x1b);
const SEQUENCE = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${ESCAPE}\\u0007]*(?:\\u0007|${ESCAPE}\\\\)?|.)`,
  'gs',
);

/** Text that others wrote, without what would drive the terminal: escape sequences and control characters. */
export function printable(text: string): string {
  return text.replace(SEQUENCE, '').replace(/[^\P{Cc}\n\t]/gu, '');
}

/** `1 tag`, `2 tags`. */
export function counted(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** `3m ago`, for a list that people read. */
export function ago(timestamp: string | null, now = Date.now()): string {
  if (!timestamp) return '-';
  const elapsed = Math.max(0, now - Date.parse(timestamp));
  const [size, unit] = UNITS.find(([size]) => elapsed >= size) ?? [1_000, 's'];
  return `${Math.floor(elapsed / size)}${unit} ago`;
}

/** `0.4 s`, `12.0 s`, `2 m 05 s` between two points in time, or until now. */
export function elapsed(from: string | null, to: string | null, now = Date.now()): string {
  if (!from) return '';
  const seconds = Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from)) / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} m ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
}

/** Seconds of `90s`, `30m`, `12h`, `90d`; null when it is none. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+)(s|m|h|d)$/.exec(text);
  const unit = match && UNITS.find(([, name]) => name === match[2]);
  return match && unit ? (Number(match[1]) * unit[0]) / 1_000 : null;
}

/** `30d`, `36h`: in the largest unit that says it in whole numbers. */
export function lasting(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => (seconds * 1_000) % size === 0) ?? [1_000, 's'];
  return `${(seconds * 1_000) / size}${unit}`;
}

/** The RFC 3339 timestamp of `2026-05-01T10:00:00Z`, `2026-05-01`, or of `15m` before now; null when it is none. */
export function parseMoment(text: string, now = Date.now()): string | null {
  const seconds = parseDuration(text);
  const time = seconds === null ? (/^\d{4}-/.test(text) ? Date.parse(text) : NaN) : now - seconds * 1_000;
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** `sha256:0123456789ab…`, as much as tells one from another. */
export function shortDigest(digest: string | null): string {
  return digest ? digest.replace(/^sha256:/, '').slice(0, 12) : '-';
}

const SIZES: readonly (readonly [number, string])[] = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
];

/** `1.5MiB`: near enough for a number that changes all the time. */
export function shortBytes(bytes: number): string {
  const [size, unit] = SIZES.find(([size]) => bytes >= size) ?? [1, 'B'];
  const amount = bytes / size;
  return `${amount >= 100 || size === 1 ? Math.round(amount) : amount.toFixed(1)}${unit}`;
}
