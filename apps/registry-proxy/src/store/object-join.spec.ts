import { LEAST_PART_BYTES, partsOf } from './object-join.js';

const MIB = 1024 * 1024;
const sizes = (...segments: number[]): number[][] =>
  partsOf(segments.map((size, index) => ({ key: String(index), size }))).map((part) =>
    part.map(({ size }) => size),
  );

describe('the parts of which one object is made', () => {
  it('are the segments, where these are large enough', () => {
    expect(sizes(8 * MIB, 8 * MIB, 1)).toEqual([[8 * MIB], [8 * MIB], [1]]);
  });

  it('are several small segments together', () => {
    expect(sizes(3 * MIB, 3 * MIB, 8 * MIB, 1, 2)).toEqual([[3 * MIB, 3 * MIB], [8 * MIB], [1, 2]]);
    expect(sizes(LEAST_PART_BYTES, 1, 5)).toEqual([[LEAST_PART_BYTES, 1], [5]]);
  });

  it('are none of nothing', () => {
    expect(sizes()).toEqual([]);
  });
});
