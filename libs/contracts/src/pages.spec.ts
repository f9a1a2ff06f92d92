import { decodeCursor, encodeCursor, PageRequest, positionOf, toPage } from './pages.js';

describe('pages', () => {
  it('come back to where they were', () => {
    expect(decodeCursor(encodeCursor({ time: '2026-01-01T00:00:00Z', id: 7 }))).toEqual({
      time: '2026-01-01T00:00:00Z',
      id: 7,
    });
  });

  it.each(['', 'x', 'bnVsbA', 'WzFd'])('know a forged cursor: %j', (cursor) => {
    expect(decodeCursor(cursor)).toBeNull();
  });

  it('take a limit from a query string, within bounds', () => {
    expect(PageRequest.parse({ limit: '20' }).limit).toBe(20);
    expect(PageRequest.parse({}).limit).toBe(50);
    expect(PageRequest.safeParse({ limit: '0' }).success).toBe(false);
    expect(PageRequest.safeParse({ limit: '201' }).success).toBe(false);
    expect(PageRequest.safeParse({ offset: '3' }).success).toBe(false);
  });

  it('go on after the last item shown, as long as there are more', () => {
    const page = (limit: number) =>
      toPage(
        ['a', 'b', 'c'].slice(0, limit + 1),
        limit,
        (row) => row,
        (name) => ({ name }),
      );
    const first = page(2);
    expect([first.items, positionOf(first.nextCursor ?? '', 'name')]).toEqual([['a', 'b'], 'b']);
    expect(page(3)).toEqual({ items: ['a', 'b', 'c'], nextCursor: null });
    expect(positionOf(undefined, 'name')).toBe('');
  });

  it.each([encodeCursor({ name: 'a\0b' }), encodeCursor({ other: 'a' }), encodeCursor({ name: 7 }), 'x'])(
    'begin at no forged position: %s',
    (cursor) => {
      expect(() => positionOf(cursor, 'name')).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
    },
  );
});
