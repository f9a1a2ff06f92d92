import type { UpgradeRule } from '@berth/contracts';

/**
 * Whether the rule of an entry lets a resource come from one version to another in place. With `same-major` there is no way
 * back either: what a later version has written, an earlier one may not be able to read.
 */
export function mayCome(rule: UpgradeRule, from: string, to: string): boolean {
  if (rule !== 'same-major') return rule === 'any';
  const present = numbersOf(from);
  const wanted = numbersOf(to);
  if (present.length === 0 || present[0] !== wanted[0]) return false;
  // A version with fewer numbers stands for the latest of those that begin like it.
  const other = present.findIndex((number, index) => index < wanted.length && wanted[index] !== number);
  return other === -1 || wanted[other] > present[other];
}

export function describeRule(rule: UpgradeRule): string {
  return rule === 'same-major' ? 'same-major: the first number stays, and none goes back' : rule;
}

/** Of a tag such as `2.11-alpine` the first numbers; none of `latest`. */
function numbersOf(version: string): number[] {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').filter(Boolean).map(Number);
}
