import { freePort } from './ports.js';

test('no port is picked twice, before anyone listens there', async () => {
  const picked = new Set<number>();
  // One after the other: at the same time, the looks at ports would keep each other away.
  for (let count = 0; count < 1_000; count += 1) picked.add(await freePort());
  expect(picked.size).toBe(1_000);
});
