import { SharedLooks } from './shared-looks.js';

describe('looks that are shared', () => {
  let begun: string[];
  let end: ((outcome: string | Error) => void)[];
  let looks: SharedLooks<string>;
  const look = (key: string) =>
    looks.get(key, () => {
      begun.push(key);
      return new Promise((resolve, reject) => {
        end.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      });
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    [begun, end, looks] = [[], [], new SharedLooks()];
  });

  it('run one at a time, and answer nobody with one that began before it asked', async () => {
    const first = look('dev');
    const later = [look('dev'), look('dev'), look('dev')];
    expect(begun).toEqual(['dev']);
    end[0]('old');
    expect(await first).toBe('old');
    await turn();
    expect(begun).toEqual(['dev', 'dev']);
    const last = look('dev');
    end[1]('new');
    expect(await Promise.all(later)).toEqual(['new', 'new', 'new']);
    await turn();
    end[2]('newest');
    expect(await last).toBe('newest');
    expect(begun).toHaveLength(3);
  });

  it('leave those for another key alone', () => {
    void look('dev');
    void look('prod');
    expect(begun).toEqual(['dev', 'prod']);
  });

  it('go on after one that failed', async () => {
    const first = look('dev');
    const second = look('dev');
    end[0](new Error('away'));
    await expect(first).rejects.toThrow('away');
    await turn();
    end[1]('back');
    expect(await second).toBe('back');
  });
});
