import type { PolicyPulse } from '@berth/contracts';
import type { PolicyStanding } from './policy-standing.js';
import { ShortMemory } from './short-memory.js';

const HERE = { epoch: 1, revision: 1, open: false } as unknown as PolicyPulse;
const THERE = { ...HERE, revision: 2 };

describe('what policy said a moment ago', () => {
  let standing: { now: PolicyPulse | null };
  let memory: ShortMemory<string>;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
    standing = { now: HERE };
    memory = new ShortMemory(standing as PolicyStanding);
  });
  afterEach(() => jest.useRealTimers());

  const after = (milliseconds: number): void => jest.advanceTimersByTime(milliseconds);
  const said = (value: string): void => memory.set('key', value, memory.asking());

  it('is good for two seconds from when it was asked, and no longer', () => {
    const asked = memory.asking();
    after(900);
    memory.set('key', 'yes', asked);
    expect(memory.get('key')).toBe('yes');
    after(200);
    // The one who is to ask anew, which fails.
    memory.get('key');
    after(899);
    expect([memory.get('key'), memory.has('key')]).toEqual(['yes', true]);
    after(1);
    expect([memory.get('key'), memory.has('key')]).toEqual([undefined, false]);
  });

  it('is asked anew by one who comes after a second, while the others go by it', () => {
    said('yes');
    after(999);
    expect(memory.get('key')).toBe('yes');
    after(1);
    expect([1, 2, 3].map(() => memory.get('key'))).toEqual([undefined, 'yes', 'yes']);
    said('still');
    expect([1, 2].map(() => memory.get('key'))).toEqual(['still', 'still']);
    after(1_000);
    expect([1, 2].map(() => memory.get('key'))).toEqual([undefined, 'still']);
  });

  it('is what was asked for last, whoever is told first', () => {
    const slow = memory.asking();
    after(10);
    said('fast');
    memory.set('key', 'slow', slow);
    expect(memory.get('key')).toBe('fast');
  });

  it('is forgotten when policy stands elsewhere, or nowhere that is known', () => {
    said('yes');
    standing.now = null;
    expect([memory.get('key'), memory.has('key')]).toEqual([undefined, false]);
    standing.now = THERE;
    expect(memory.get('key')).toBeUndefined();
  });

  it('is not kept when policy moved while it was asked', () => {
    const asked = memory.asking();
    standing.now = THERE;
    memory.set('key', 'yes', asked);
    expect(memory.get('key')).toBeUndefined();
  });
});
