import { RequestsAtOnce } from './requests-at-once.js';

describe('requests at a time', () => {
  it('are bounded for each, whoever else there is', () => {
    const atOnce = new RequestsAtOnce({ each: 2, all: 10 });
    const leave = atOnce.enter('dev', 'watches');
    atOnce.enter('dev', 'watches');
    expect(() => atOnce.enter('dev', 'watches')).toThrow(
      expect.objectContaining({
        code: 'TOO_MANY_REQUESTS',
        message: expect.stringContaining('watches') as string,
      }),
    );
    atOnce.enter('prod', 'watches');
    leave();
    atOnce.enter('dev', 'watches');
  });

  it('are bounded in all', () => {
    const atOnce = new RequestsAtOnce({ each: 2, all: 2 });
    atOnce.enter('dev', 'watches');
    const leave = atOnce.enter('prod', 'watches');
    expect(() => atOnce.enter('staging', 'watches')).toThrow('2 in all');
    leave();
    atOnce.enter('staging', 'watches');
  });

  it('give their place back once', () => {
    const atOnce = new RequestsAtOnce({ each: 1, all: 2 });
    const leave = atOnce.enter('dev', 'watches');
    leave();
    atOnce.enter('dev', 'watches');
    leave();
    expect(() => atOnce.enter('dev', 'watches')).toThrow('too many');
  });
});
