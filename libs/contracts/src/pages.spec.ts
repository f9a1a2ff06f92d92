import { decodeCursor, encodeCursor, PageRequest } from './pages.js';

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
});
