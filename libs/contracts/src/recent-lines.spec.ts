import type { LogLine } from './instances.js';
import { RecentLines } from './recent-lines.js';

const line = (time: string | null, text: string): LogLine => ({
  time,
  service: 'web',
  instance: 'i1',
  stream: 'stdout',
  line: text,
});

test('a line is new once', () => {
  const recent = new RecentLines();
  expect(recent.resume()).toBeNull();
  expect(recent.isNew(line('2026-05-01T10:00:05.000000001Z', 'a'))).toBe(true);
  expect(recent.isNew(line('2026-05-01T10:00:05.000000002Z', 'a'))).toBe(true);
  expect(recent.isNew(line('2026-05-01T10:00:05.000000001Z', 'a'))).toBe(false);
  expect(recent.isNew(line(null, 'a'))).toBe(true);
});

test('asking again begins a little before the last one', () => {
  const recent = new RecentLines();
  recent.isNew(line('2026-05-01T10:00:05.500Z', 'a'));
  recent.isNew(line('2026-05-01T10:00:04Z', 'late'));
  expect(recent.resume()).toBe('2026-05-01T10:00:02.500Z');
});

test('what came long before the last one is forgotten', () => {
  const recent = new RecentLines();
  const start = Date.parse('2026-05-01T10:00:00Z');
  for (let count = 0; count < 100_000; count++)
    recent.isNew(line(new Date(start + count).toISOString(), String(count)));
  expect(recent.size).toBeLessThan(20_000);
});

test('what was cut off at the beginning stays so, and what a new instance wrote first does not', () => {
  const recent = new RecentLines();
  recent.isNew(line('2026-05-01T10:00:05.5Z', 'first of the tail'));
  expect(recent.isNew(line('2026-05-01T10:00:05.4Z', 'out of order'))).toBe(true);
  recent.resume();
  expect(recent.isNew(line('2026-05-01T10:00:05.3Z', 'before the tail'))).toBe(false);
  expect(recent.isNew({ ...line('2026-05-01T10:00:05.3Z', 'new'), instance: 'i2' })).toBe(true);
});
