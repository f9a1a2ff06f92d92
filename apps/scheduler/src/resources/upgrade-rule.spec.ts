import { mayCome } from './upgrade-rule.js';

describe('an upgrade in place', () => {
  it.each([
    ['17', '17'],
    ['17', '17.6'],
    ['17.5', '17.6'],
    ['17.9', '17.10'],
    ['17.6', '17'],
    ['2.10-alpine', '2.11-alpine'],
    ['v3.13', '3.14'],
  ])('may go from %s to %s under "same-major"', (from, to) => {
    expect(mayCome('same-major', from, to)).toBe(true);
  });

  it.each([
    ['16', '17'],
    ['17', '16.9'],
    ['17.6', '17.5'],
    ['10.11', '10.6'],
    ['17', '170'],
    ['17', 'latest'],
    ['latest', 'latest'],
  ])('may not go from %s to %s under "same-major"', (from, to) => {
    expect(mayCome('same-major', from, to)).toBe(false);
  });

  it('may go anywhere under "any", and nowhere under "none"', () => {
    expect([mayCome('any', '17', '9'), mayCome('none', '17', '17')]).toEqual([true, false]);
  });
});
