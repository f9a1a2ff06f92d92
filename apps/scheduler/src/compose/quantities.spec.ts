import { parseByteSize, parseCpus, parseDuration } from './quantities.js';
import { splitWords } from './words.js';

describe('durations', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['10s', 10e9],
    ['1m30s', 90e9],
    ['2h45m', 9900e9],
    ['1.5s', 1.5e9],
    ['100ms', 1e8],
    ['7us', 7e3],
    ['1h5m30s20ms', 3930.02e9],
    ['720h', 2592e12],
  ])('reads %s', (text, expected) => expect(parseDuration(text)).toBe(expected));
  it.each(['', '10', 's', '-1s', '1d', '1s ', '1 s', '721h', 'ten'])('turns away "%s"', (text) =>
    expect(parseDuration(text)).toBeNull(),
  );
});

describe('sizes', () => {
  it.each([
    ['1024', 1024],
    ['2b', 2],
    ['1024kb', 1_048_576],
    ['2048k', 2_097_152],
    ['300m', 314_572_800],
    ['1gb', 1_073_741_824],
    ['1GiB', 1_073_741_824],
    ['0.5g', 536_870_912],
  ])('reads %s', (text, expected) => expect(parseByteSize(text)).toBe(expected));
  it.each(['', 'm', '-1m', '1x', '1e3', '99999999999999t'])('turns away "%s"', (text) =>
    expect(parseByteSize(text)).toBeNull(),
  );
});

describe('cores', () => {
  it.each([
    ['0.5', 5e8],
    ['.25', 2.5e8],
    ['2', 2e9],
    ['0.001', 1e6],
  ])('reads %s', (text, expected) => expect(parseCpus(text)).toBe(expected));
  it.each(['', '.', '0', '0.0001', '-1', '1,5', '50%'])('turns away "%s"', (text) =>
    expect(parseCpus(text)).toBeNull(),
  );
});

describe('words of a command line', () => {
  it.each([
    ['', []],
    ['  a  b ', ['a', 'b']],
    [`sh -c 'a "b" c'`, ['sh', '-c', 'a "b" c']],
    [`"a 'b'"c`, [`a 'b'c`]],
    ['a\\ b', ['a b']],
    ['""', ['']],
    ['"a\\"b\\n"', ['a"b\\n']],
    ['a\\\nb', ['ab']],
  ])('splits %s', (text, expected) => expect(splitWords(text)).toEqual(expected));
  it.each(['"a', "'a", 'a\\'])('turns away %s', (text) => expect(splitWords(text)).toBeNull());
});
