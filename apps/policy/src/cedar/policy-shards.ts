import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicySet } from './evaluator.js';

/** So many are read by Cedar in some fifty milliseconds. */
const MOST = 500;

/**
 * A set in parts, by the hash of an id: a change of one policy leaves the other parts as they are. Their number is a power of
 * two, so that it seldom changes.
 */
export function shardsOf(policies: PolicySet): PolicySet[] {
  let count = 1;
  while (policies.size / count > MOST) count *= 2;
  const shards = Array.from({ length: count }, () => new Map<string, PolicyJson>());
  for (const [id, policy] of policies) shards[hash(id) % count].set(id, policy);
  return shards;
}

/** Whether both hold the very same policies. */
export function isSame(left: PolicySet, right: PolicySet | undefined): boolean {
  if (left.size !== right?.size) return false;
  for (const [id, policy] of left) if (right.get(id) !== policy) return false;
  return true;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
