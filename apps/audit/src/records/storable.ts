// With the u flag, a surrogate only matches where it is not half of a pair.
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/**
 * The same value with each character that PostgreSQL cannot keep replaced by U+FFFD: U+0000, which no text may hold, and
 * halves of surrogate pairs, which are no characters. A record must not be lost because of what a caller wrote into it.
 */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(UNSTORABLE, '\uFFFD');
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storable(inner)]));
}
