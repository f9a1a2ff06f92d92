import { contains, type Value } from './values.js';

/** A set that is asked again and again whether something is in it. */
export interface Membership {
  has(value: Value): boolean;
}

/** Strings, numbers and booleans are found in a table; what can only be compared is compared. */
export function membership(members: readonly Value[]): Membership {
  const table = new Set<Value>(members.filter((member) => typeof member !== 'object'));
  const compared = members.filter((member) => typeof member === 'object');
  return {
    has: (value) => (typeof value === 'object' ? contains(compared, value) : table.has(value)),
  };
}
