import { parseChunkRange, parseRange } from './range.js';

describe('a Range header', () => {
  it.each([
    ['bytes=0-99', 0, 99],
    ['bytes=10-', 10, 99],
    ['bytes=-10', 90, 99],
    ['bytes=-1000', 0, 99],
    ['bytes=50-1000', 50, 99],
    ['bytes=99-99', 99, 99],
  ])('%s of 100 bytes is %i to %i', (header, start, end) => {
    expect(parseRange(header, 100)).toEqual({ start, end });
  });

  it.each([undefined, '', 'bytes=-', 'bytes=0-1,3-4', 'chunks=0-1', 'bytes=a-b', 'bytes=1e3-'])(
    'ignores %j',
    (header) => {
      expect(parseRange(header, 100)).toBe('whole');
    },
  );

  it.each([
    ['bytes=100-', 100],
    ['bytes=-0', 100],
    ['bytes=0-', 0],
    ['bytes=-5', 0],
    ['bytes=5-4', 100],
  ])('%s lies outside of %i bytes', (header, size) => {
    expect(parseRange(header, size)).toBe('unsatisfiable');
  });
});

describe('a Content-Range header of a chunk', () => {
  it.each(['5-9', 'bytes 5-9/100', 'bytes=5-9', ' 5-9 '])('%j is read', (header) => {
    expect(parseChunkRange(header)).toEqual({ start: 5, end: 9 });
  });

  it.each(['', '9-5', '-5', '5-', 'a-b', '1-2-3', '5-99999999999999999999'])('%j is not', (header) => {
    expect(parseChunkRange(header)).toBeNull();
  });
});
