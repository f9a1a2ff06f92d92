/**
 * How many expressions may stand within each other, each link of a chain such as `a && b && c` counted. Evaluation recurses
 * once per level, and its stack ends somewhere beyond 60 of them once the engine has optimised it (beyond 300 before).
 */
export const MAX_EXPRESSION_DEPTH = 48;

interface Measure {
  /** In expressions: in Cedar's JSON form, one is an object whose one member holds its operands. */
  depth: number;
  /** A whole number that JavaScript cannot hold exactly, so that the policy in force would be another one. */
  inexact: number | null;
}

/** Measures a policy's conditions (Cedar's JSON form), which stand in a chain of `&&`. Works without recursion. */
export function measureConditions(conditions: readonly unknown[]): Measure {
  let deepest = 0;
  let inexact: number | null = null;
  const waiting: [value: unknown, depth: number][] = conditions.map((condition) => [condition, 0]);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [value, depth] = next;
    if (typeof value === 'number' && !Number.isSafeInteger(value)) inexact = value;
    if (typeof value !== 'object' || value === null) continue;
    deepest = Math.max(deepest, depth);
    for (const member of Object.values(value)) waiting.push([member, depth + 1]);
  }
  return { depth: Math.ceil(deepest / 2) + conditions.length, inexact };
}
