import { BerthError, decodeCursor, encodeCursor, type Page } from '@berth/contracts';

/** The position that a cursor holds under `key`; an empty text, which sorts before all, for the first page. */
export function positionOf(cursor: string | undefined, key: string): string {
  if (cursor === undefined) return '';
  const position = decodeCursor(cursor)?.[key];
  if (typeof position !== 'string' || position.includes('\0')) {
    throw new BerthError(
      'CURSOR_INVALID',
      'The cursor is not one that this list gave out. Start without one.',
    );
  }
  return position;
}

/** A page of rows that were read one more than asked for, to know whether there are others. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  map: (row: Row) => Item,
  position: (row: Row) => Record<string, string>,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(map),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null,
  };
}
