import type { Variables } from './interpolate.js';
import type { Problems } from './problems.js';
import { asList, asText } from './section.js';
import { describe, type ComposeNode } from './tree.js';

/** `environment`: a mapping, or a list of `NAME=value`. A name without a value takes it from the environment's variables. */
export function readEnvironment(
  node: ComposeNode,
  variables: Variables,
  problems: Problems,
): Record<string, string> {
  // A map first: a variable may be called `__proto__`.
  const environment = new Map<string, string>();
  const set = (at: ComposeNode, name: string, value: string | null): void => {
    if (!/^[^=\s\0]{1,255}$/.test(name)) {
      problems.invalid(at, `"${name.slice(0, 80)}" is no name of an environment variable`);
      return;
    }
    if (value !== null) environment.set(name, value);
    else if (Object.hasOwn(variables, name)) environment.set(name, variables[name]);
  };
  if (node.kind === 'map') {
    for (const [name, { value }] of node.entries) {
      if (value.kind !== 'scalar') problems.invalid(value, `must be text, but is ${describe(value)}`);
      else set(value, name, value.type === 'null' ? null : value.text);
    }
    return Object.fromEntries(environment);
  }
  for (const item of asList(node, problems)?.items ?? []) {
    const text = asText(item, problems);
    if (text === undefined) continue;
    const equals = text.indexOf('=');
    set(item, equals < 0 ? text : text.slice(0, equals), equals < 0 ? null : text.slice(equals + 1));
  }
  return Object.fromEntries(environment);
}

/** Labels that Berth and Swarm tell their own things by. */
const RESERVED_LABEL = /^(berth|com\.docker)\./;

/** `labels`: a mapping, or a list of `name=value`. */
export function readLabels(node: ComposeNode, problems: Problems): Record<string, string> {
  const labels = new Map<string, string>();
  const set = (at: ComposeNode, name: string, value: string): void => {
    if (!name) problems.invalid(at, 'a label must have a name');
    else if (RESERVED_LABEL.test(name))
      problems.invalid(at, `labels "berth.…" and "com.docker.…" are reserved`);
    else labels.set(name, value);
  };
  if (node.kind === 'map') {
    for (const [name, { value }] of node.entries) {
      if (value.kind !== 'scalar') problems.invalid(value, `must be text, but is ${describe(value)}`);
      else set(value, name, value.text);
    }
    return Object.fromEntries(labels);
  }
  for (const item of asList(node, problems)?.items ?? []) {
    const text = asText(item, problems);
    if (text === undefined) continue;
    const [name, ...value] = text.split('=');
    set(item, name, value.join('='));
  }
  return Object.fromEntries(labels);
}
