import { Pace } from './pace.js';

describe('the pace of requests', () => {
  const delays = (pace: Pace, key: string, now: number, count: number) =>
    Array.from({ length: count }, () => pace.delay(key, now));

  it('is free for a burst, then one every so often', () => {
    const pace = new Pace({ perSecond: 100, burst: 3 });
    expect(delays(pace, 'dev', 5_000, 5)).toEqual([0, 0, 0, 10, 20]);
    expect(delays(pace, 'dev', 5_020, 2)).toEqual([10, 20]);
  });

  it('is forgiven by rest, up to a burst', () => {
    const pace = new Pace({ perSecond: 100, burst: 3 });
    delays(pace, 'dev', 5_000, 10);
    expect(delays(pace, 'dev', 9_000, 4)).toEqual([0, 0, 0, 10]);
  });

  it('is each its own', () => {
    const pace = new Pace({ perSecond: 100, burst: 1 });
    expect(delays(pace, 'dev', 5_000, 3)).toEqual([0, 10, 20]);
    expect(pace.delay('prod', 5_000)).toBe(0);
    for (let key = 0; key < 3_000; key += 1) pace.delay(`shop${key}`, 5_000 + key);
    expect(pace.delay('dev', 8_000)).toBe(0);
  });
});
