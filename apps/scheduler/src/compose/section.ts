import type { Place, Problems } from './problems.js';
import { describe, type ComposeNode, type ListNode, type MapNode, type ScalarNode } from './tree.js';
import { parseInteger } from './quantities.js';

/**
 * A mapping whose keys are known. What is taken is read; `finish` reports what nobody took, so that no key is ever
 * ignored in silence. Extensions (`x-…`) are allowed everywhere.
 */
export class Section {
  private readonly taken = new Set<string>();

  constructor(
    readonly node: MapNode,
    private readonly problems: Problems,
  ) {}

  /** The value of a key; undefined when it is absent or null. */
  take(key: string): ComposeNode | undefined {
    this.taken.add(key);
    const value = this.node.entries.get(key)?.value;
    return value?.kind === 'scalar' && value.type === 'null' ? undefined : value;
  }

  /** The value of a key, null included; undefined only when it is absent. */
  takeRaw(key: string): ComposeNode | undefined {
    this.taken.add(key);
    return this.node.entries.get(key)?.value;
  }

  keyPlace(key: string): Place {
    return this.node.entries.get(key)?.key ?? this.node;
  }

  string(key: string): string | undefined {
    const node = this.take(key);
    return node && asText(node, this.problems);
  }

  boolean(key: string): boolean | undefined {
    const node = this.take(key);
    return node && asBoolean(node, this.problems);
  }

  /** A value that `parse` understands; `expected` says to a person what it is. */
  parsed<T>(key: string, expected: string, parse: (text: string) => T | null): T | undefined {
    const node = this.take(key);
    return node && asParsed(node, expected, parse, this.problems);
  }

  integer(key: string, minimum: number, maximum: number): number | undefined {
    return this.parsed(key, `a whole number from ${minimum} to ${maximum}`, (text) => {
      const value = parseInteger(text);
      return value !== null && value >= minimum && value <= maximum ? value : null;
    });
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    return this.parsed(
      key,
      `one of ${values.join(', ')}`,
      (text) => values.find((value) => value === text) ?? null,
    );
  }

  section(key: string): Section | undefined {
    const node = this.take(key);
    const map = node && asMap(node, this.problems);
    return map && new Section(map, this.problems);
  }

  /** Reports the keys that were not taken. `hints` says more of some of them. */
  finish(hints: Readonly<Record<string, string>> = {}): void {
    for (const [key, { key: at }] of this.node.entries) {
      if (this.taken.has(key) || key.startsWith('x-')) continue;
      const hint = Object.hasOwn(hints, key) ? `: ${hints[key]}` : meant(key, this.taken);
      this.problems.unsupported(at, `the key "${key.slice(0, 80)}" is not supported${hint}`);
    }
  }
}

function meant(key: string, known: ReadonlySet<string>): string {
  for (const candidate of known)
    if (distanceAtMostTwo(key, candidate)) return `; did you mean "${candidate}"?`;
  return '';
}

/** Whether two words are two letters apart at most (Levenshtein). */
function distanceAtMostTwo(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 2 || Math.min(a.length, b.length) < 3) return false;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] <= 2;
}

export function asMap(node: ComposeNode, problems: Problems): MapNode | undefined {
  if (node.kind === 'map') return node;
  problems.invalid(node, `must be a mapping, but is ${describe(node)}`);
  return undefined;
}

export function asList(node: ComposeNode, problems: Problems): ListNode | undefined {
  if (node.kind === 'list') return node;
  problems.invalid(node, `must be a list, but is ${describe(node)}`);
  return undefined;
}

export function asScalar(node: ComposeNode, problems: Problems): ScalarNode | undefined {
  if (node.kind === 'scalar' && node.type !== 'null') return node;
  problems.invalid(node, `must be text, but is ${describe(node)}`);
  return undefined;
}

export function asText(node: ComposeNode, problems: Problems): string | undefined {
  return asScalar(node, problems)?.text;
}

export function asBoolean(node: ComposeNode, problems: Problems): boolean | undefined {
  // Variables make text of what was a boolean, so text counts too.
  return asParsed(
    node,
    'true or false',
    (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : null),
    problems,
  );
}

export function asParsed<T>(
  node: ComposeNode,
  expected: string,
  parse: (text: string) => T | null,
  problems: Problems,
): T | undefined {
  const scalar = asScalar(node, problems);
  if (!scalar) return undefined;
  const value = parse(scalar.text);
  if (value !== null) return value;
  problems.invalid(node, `must be ${expected}, but is ${describe(node)}`);
  return undefined;
}
