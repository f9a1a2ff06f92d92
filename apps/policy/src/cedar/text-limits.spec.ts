import { measureConditions } from './conditions.js';
import { scanText } from './text-limits.js';
import { positionAt, positionAtByte } from './text-position.js';

const when = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`;

describe('the scan of a text', () => {
  it.each([
    ['permit', '@id("forbid")\n// forbid\npermit (principal, action, resource);'],
    ['forbid', 'forbid (principal, action, resource) when { "permit" == "permit" };'],
  ])('finds the effect %s, and none in strings and comments', (effect, text) => {
    expect(scanText(text)).toEqual({ effect, problem: null });
  });

  it('finds no effect where there is none', () => {
    expect(scanText('hello, permitted')).toEqual({ effect: null, problem: null });
  });

  it.each([
    ['bytes', when(`"${'é'.repeat(33_000)}" == ""`), 'bytes'],
    ['nested parentheses', when(`${'('.repeat(64)}true${')'.repeat(64)}`), 'deeper than 64'],
    ['nested records', when(`${'{a:'.repeat(64)}1${'}'.repeat(64)} == 1`), 'deeper than 64'],
    ['unclosed brackets', '['.repeat(10_000), 'deeper than 64'],
    ['&& chains', when(Array(1_002).fill('true').join(' && ')), 'operators'],
    ['else-if chains', when(`${'if true then true else '.repeat(1_001)}true`), 'operators'],
    ['member chains', when(`context${'.a'.repeat(1_001)}`), 'operators'],
    ['unary chains', when(`${'-'.repeat(1_001)}1 == 1`), 'operators'],
  ])('refuses too many %s', (_what, text, told) => {
    expect(scanText(text).problem).toMatchObject({
      message: expect.stringContaining(told) as string,
      line: 1,
    });
  });

  it('counts no brackets and operators inside strings and comments', () => {
    expect(scanText(`// ${'('.repeat(500)}\n${when(`"${'[&&'.repeat(2_000)}" == ""`)}`).problem).toBeNull();
  });

  it('takes a long hostile text in little time', () => {
    const started = performance.now();
    for (const piece of ['"', '\\', '/', '"\\', '(', '.', 'i', 'if '])
      scanText(piece.repeat(Math.floor(65_536 / piece.length)));
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('a position', () => {
  it('counts lines and characters from 1', () => {
    expect(positionAt('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
    expect(positionAt('', 0)).toEqual({ line: 1, column: 1 });
  });

  it('is that of the character, whatever its bytes', () => {
    const text = '// 🚢é\n"ü" x';
    expect(positionAtByte(text, Buffer.byteLength('// 🚢é\n"ü" '))).toEqual({ line: 2, column: 5 });
    expect(positionAtByte(text, Buffer.byteLength('// 🚢é'))).toEqual({ line: 1, column: 6 });
  });
});

describe('the depth of expressions', () => {
  const leaf = { Value: true };
  const chain = (links: number): object =>
    links === 0 ? leaf : { '&&': { left: chain(links - 1), right: leaf } };

  it('counts each link of a chain', () => {
    const depth = (links: number): number => measureConditions([{ kind: 'when', body: chain(links) }]).depth;
    expect(depth(101) - depth(1)).toBe(100);
  });

  it('is measured without recursion', () => {
    let deep: object = leaf;
    for (let level = 0; level < 100_000; level += 1) deep = { '!': { arg: deep } };
    expect(measureConditions([deep]).depth).toBeGreaterThan(99_000);
  });
});
