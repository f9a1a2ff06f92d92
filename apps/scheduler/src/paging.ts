import { BerthError, decodeCursor } from '@berth/contracts';

/** The text under `key` of a cursor of ours. Throws CURSOR_INVALID. */
export function textPosition(cursor: string, key: string): string {
  const value = decodeCursor(cursor)?.[key];
  if (typeof value === 'string') return value;
  throw new BerthError('CURSOR_INVALID', 'The cursor is not one that this list answered. Start without.');
}
