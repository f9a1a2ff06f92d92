import { eventually } from './eventually.js';

describe('eventually', () => {
  it('tries until the attempt succeeds, and returns its result', async () => {
    let tries = 0;
    const attempt = () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return tries;
    };
    await expect(eventually(attempt, { interval: 1 })).resolves.toBe(3);
  });

  it('throws what the last attempt threw when the time is over', async () => {
    let tries = 0;
    const attempt = () => Promise.reject(new Error(`try ${++tries}`));
    await expect(eventually(attempt, { timeout: 20, interval: 5 })).rejects.toThrow(/^try [2-9]/);
  });
});
