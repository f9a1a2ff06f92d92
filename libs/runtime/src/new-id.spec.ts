import { validate, version } from 'uuid';
import { newId } from './new-id.js';

test('ids are of version 7, all different, of now, and in the order in which they were made', () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, newId);
  const after = Date.now();
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
  const times = ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
  expect(Math.max(...times)).toBeLessThanOrEqual(after);
});

test('what is random in them is', () => {
  const tails = Array.from({ length: 5_000 }, () => newId().slice(-12));
  expect(new Set(tails).size).toBe(tails.length);
  for (let place = 0; place < 12; place += 1) expect(new Set(tails.map((tail) => tail[place])).size).toBe(16);
});
