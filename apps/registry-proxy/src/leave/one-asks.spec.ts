import { OneAsks } from './one-asks.js';

describe('of many who would ask the same', () => {
  let known: string | undefined;
  let asked: number;
  let ones: OneAsks;
  beforeEach(() => {
    known = undefined;
    asked = 0;
    ones = new OneAsks();
  });

  const take = (ask: (turn: number) => Promise<string>, key = 'key'): Promise<string> =>
    ones.run(
      key,
      () => known,
      () => ask((asked += 1)),
    );
  const later = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const kept = async (turn: number): Promise<string> => {
    await later();
    return (known = `answer ${turn}`);
  };

  it('one asks, and all know', async () => {
    const answers = await Promise.all([take(kept), take(kept), take(kept)]);
    expect([answers, asked]).toEqual([['answer 1', 'answer 1', 'answer 1'], 1]);
  });

  it('all ask for themselves when the one is refused', async () => {
    const first = take(async () => {
      await later();
      throw new Error('no');
    });
    const others = [take(kept), take(kept)];
    await expect(first).rejects.toThrow('no');
    expect((await Promise.all(others)).every((answer) => answer.startsWith('answer'))).toBe(true);
    expect(asked).toBe(3);
  });

  it('nobody waits twice for what holds for one alone', async () => {
    const alone = async (turn: number): Promise<string> => {
      await later();
      return `for ${turn} alone`;
    };
    expect(await Promise.all([take(alone), take(alone)])).toEqual(['for 1 alone', 'for 2 alone']);
    const third = take(alone);
    const fourth = take(alone);
    expect(asked).toBe(4);
    await Promise.all([third, fourth]);
  });

  it('those who ask something else do not wait', async () => {
    const other = take(kept, 'another');
    const mine = take(kept);
    expect(asked).toBe(2);
    await Promise.all([other, mine]);
  });
});
