import { Turns } from './turns.js';

const never = new AbortController().signal;

test('so many go on at once, and the others in the order in which they came', async () => {
  const turns = new Turns(2);
  const ahead: number[] = [];
  const told = (others: number): void => void ahead.push(others);
  const [first, second] = await Promise.all([turns.take(never, told), turns.take(never, told)]);
  const order: string[] = [];
  const wait = async (name: string): Promise<() => void> => {
    const done = await turns.take(never, told);
    order.push(name);
    return done;
  };
  const third = wait('third');
  const fourth = wait('fourth');
  expect(ahead).toEqual([2, 3]);
  first();
  first();
  const done = await third;
  expect(order).toEqual(['third']);
  second();
  done();
  await fourth;
  expect(order).toEqual(['third', 'fourth']);
});

test('who leaves while waiting takes no turn', async () => {
  const turns = new Turns(1);
  const done = await turns.take(never, () => undefined);
  const leaving = new AbortController();
  const left = turns.take(leaving.signal, () => undefined);
  const next = turns.take(never, () => undefined);
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  done();
  await next;
  await expect(turns.take(AbortSignal.abort(new Error('gone')), () => undefined)).rejects.toThrow('gone');
});
