import { z } from 'zod';

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
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, string | number>)
      : null;
  } catch {
    return null;
  }
}
