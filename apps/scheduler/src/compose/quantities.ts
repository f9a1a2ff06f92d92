/** Durations, sizes and shares of a core as the Compose Specification writes them (11-extension.md, 05-services.md). */

const DURATION_UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Longer than any wait of a container makes sense, and exact as a number. */
export const MAX_DURATION_NS = 30 * 24 * 3600 * 1e9;

/** Nanoseconds of `1m30s`, `1.5s`, `500ms`, `0`; null when it is no duration or longer than 30 days. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  const part = /(\d{1,12})(?:\.(\d{1,9}))?(ns|us|µs|ms|s|m|h)/y;
  let total = 0n;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return null;
    const unit = DURATION_UNITS[match[3]];
    total += BigInt(match[1]) * unit;
    if (match[2]) total += (BigInt(match[2]) * unit) / 10n ** BigInt(match[2].length);
  }
  return text !== '' && total <= BigInt(MAX_DURATION_NS) ? Number(total) : null;
}

const SIZE_UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Bytes of `512m`, `2gb`, `1.5GiB`, `1048576`; each unit is binary, as Compose has it. Null when it is no size. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,9})?) ?(?:([kmgt])(?:i?b)?|b)?$/i.exec(text);
  if (!match) return null;
  const bytes = Math.floor(Number(match[1]) * SIZE_UNITS[(match[2] ?? '').toLowerCase()]);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Billionths of a core of `0.5`, `2`; null when it is no number or less than a thousandth. */
export function parseCpus(text: string): number | null {
  const match = /^(\d{1,6})?(?:\.(\d{1,9}))?$/.exec(text);
  if (!match || (match[1] === undefined && match[2] === undefined)) return null;
  const nano = Number(match[1] ?? 0) * 1e9 + Number((match[2] ?? '').padEnd(9, '0'));
  return nano >= 1e6 ? nano : null;
}

/** A whole number, or null. */
export function parseInteger(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}
