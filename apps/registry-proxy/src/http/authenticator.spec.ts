import { readToken } from './authenticator.js';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('an Authorization header', () => {
  it.each([
    ['Bearer berth_abc', 'berth_abc'],
    ['bearer berth_abc', 'berth_abc'],
    [basic('anyone:berth_abc'), 'berth_abc'],
    [basic(':berth_abc'), 'berth_abc'],
    [basic('user:with:colons'), 'with:colons'],
  ])('%s holds a token', (header, token) => {
    expect(readToken(header)).toBe(token);
  });

  it.each([undefined, '', 'Bearer', 'Digest abc', basic('nocolon'), basic('user:'), 'Basic', 'Bearer a b'])(
    '%j holds none',
    (header) => {
      expect(readToken(header)).toBeNull();
    },
  );
});
