import { ByteSize, formatBytes, parseBytes } from './quotas.js';

describe('sizes in bytes', () => {
  it.each([
    ['1024', 1024],
    ['8GiB', 8 * 1024 ** 3],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['512mib', 512 * 1024 ** 2],
    ['100 MB', 1e8],
    ['2g', 2e9],
    ['0', 0],
  ])('reads %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'GiB', '-1', '8 apples', '1e9', '99999999TiB', '1.2.3'])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeNull();
  });

  it.each([0, 1, 1023, 1024, 1536, 512 * 1024 ** 2, 8 * 1024 ** 3])(
    'reads back what it writes: %d',
    (bytes) => {
      expect(parseBytes(formatBytes(bytes))).toBe(bytes);
    },
  );

  it('takes numbers and text, and says what it wants otherwise', () => {
    expect(ByteSize.parse(5)).toBe(5);
    expect(ByteSize.parse('1KiB')).toBe(1024);
    expect(ByteSize.safeParse('much').error?.issues[0].message).toContain('8GiB');
  });
});
