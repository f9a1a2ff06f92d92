import type { EnvironmentRef } from '../engine/container-engine.js';

const MARK = '_backup_';
const DIGITS = 12;

/** Where a backup is tried out: a place of its own in the engine, which no environment can be called like. */
export function scratchOf(operation: { id: string; project: string; environment: string }): EnvironmentRef {
  const { project, environment, id } = operation;
  return { project, environment: `${environment}${MARK}${id.slice(-DIGITS)}` };
}

/** The end of the id of the operation that a place is for; null for the place of an environment. */
export function scratchMark(environment: string): string | null {
  const at = environment.indexOf(MARK);
  return at < 0 ? null : environment.slice(at + MARK.length);
}
