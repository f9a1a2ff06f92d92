import { setImmediate as soon } from 'node:timers/promises';
import { BoundedQueue } from './bounded-queue.js';

async function all<T>(queue: BoundedQueue<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of queue.read()) got.push(item);
  return got;
}

test('brings what was put, and ends', async () => {
  const queue = new BoundedQueue<number>(10);
  const reading = all(queue);
  await queue.put(1);
  await queue.put(2);
  queue.end();
  expect(await reading).toEqual([1, 2]);
});

test('a producer waits while the reader is behind', async () => {
  const queue = new BoundedQueue<number>(2);
  let put = 0;
  const producing = (async () => {
    for (; put < 5; put++) await queue.put(put);
    queue.end();
  })();
  await soon();
  expect(put).toBe(1);
  expect(await all(queue)).toEqual([0, 1, 2, 3, 4]);
  await producing;
});

test('an error comes after what was put before it', async () => {
  const queue = new BoundedQueue<number>(10);
  await queue.put(1);
  queue.end(new Error('broken'));
  const reader = queue.read();
  expect((await reader.next()).value).toBe(1);
  await expect(reader.next()).rejects.toThrow('broken');
});

test('a producer does not wait for a reader that has gone', async () => {
  const queue = new BoundedQueue<number>(1);
  const putting = queue.put(1);
  queue.end();
  await putting;
  await queue.put(2);
});
