import { z } from 'zod';
import { BerthError } from './errors.js';

/** What every list takes. `cursor` is what the page before answered as `nextCursor`; its content is nobody's business. */
export const PageRequest = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Items a page at most'),
  cursor: z.string().max(512).optional().describe('`nextCursor` of the page before'),
});
export type PageRequest = z.infer<typeof PageRequest>;

/** The one shape of a list. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Ask again with it as `cursor`; null on the last page'),
  });
}
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export function encodeCursor(position: Record<string, string | number>): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position that `encodeCursor` hid, or null when the text is no cursor of ours. */
export function decodeCursor(cursor: string): Record<string, string | number> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    // Postgres holds no text with a NUL, so no list of ours ended at one.
    const forged = Object.values(value).some((part) => typeof part === 'string' && part.includes('\0'));
    return forged ? null : (value as Record<string, string | number>);
  } catch {
    return null;
  }
}

export function invalidCursor(): BerthError {
  return new BerthError(
    'CURSOR_INVALID',
    'The cursor is not one that this list gave out. Start without one.',
  );
}

/** The text that a cursor holds under `key`; an empty one, which sorts before all, for the first page. Throws CURSOR_INVALID. */
export function positionOf(cursor: string | undefined, key: string): string {
  if (cursor === undefined) return '';
  const position = decodeCursor(cursor)?.[key];
  if (typeof position !== 'string') throw invalidCursor();
  return position;
}

/** A page of rows that were read one more than asked for, to know whether there are others. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  map: (row: Row) => Item,
  position: (row: Row) => Record<string, string | number>,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(map),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null,
  };
}
