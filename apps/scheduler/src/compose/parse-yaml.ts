import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { interpolate, InterpolationError, type Variables } from './interpolate.js';
import type { Place, Problems } from './problems.js';
import { childPath, type ComposeNode, type ListNode, type MapEntry, type MapNode } from './tree.js';
import { guardYaml, MAX_DEPTH } from './yaml-guard.js';

/** What aliases may make of a file at most: a "billion laughs" stops here. */
const MAX_NODES = 50_000;
const CORE_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

export interface ParsedYaml {
  root: ComposeNode | null;
  /** Variables that are used, not set, and have no default. */
  unset: Set<string>;
}

/** How the text of values becomes what they say. Null keeps them as written, with their variables. */
export interface ValueReading {
  variables: Variables;
  /** Values that are settled already, by path: their text in the file does not count. */
  settled: ReadonlyMap<string, string>;
}

/** Reads YAML 1.2 with places, merges, aliases and variables; what is wrong goes to `problems`. */
export function parseYaml(text: string, values: ValueReading | null, problems: Problems): ParsedYaml {
  const lines = new LineCounter();
  const refused = guardYaml(text);
  if (refused) {
    for (let at = text.indexOf('\n'); at >= 0 && at < refused.offset; at = text.indexOf('\n', at + 1))
      lines.addNewLine(at + 1);
    problems.invalid({ ...place(lines, refused.offset), path: '' }, refused.message);
    return { root: null, unset: new Set() };
  }
  // Duplicate keys and merges are ours: the library's check of the former takes quadratic time.
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
  });
  for (const error of document.errors) {
    const message = /call stack/.test(error.message) ? 'nested too deeply' : error.message;
    problems.invalid({ ...place(lines, error.pos[0]), path: '' }, message);
  }
  if (problems.any) return { root: null, unset: new Set() };
  const builder = new TreeBuilder(lines, values, problems, aliasTargets(document.contents));
  const root = document.contents
    ? builder.build(document.contents, '', 0, { line: 1, column: 1, path: '' })
    : null;
  return { root, unset: builder.unset };
}

/** The node that each alias means: the last one before it with that anchor (YAML 1.2.2, 3.2.2.2). */
function aliasTargets(contents: Node | null): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(contents, {
    Node(_key, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target) targets.set(node, target);
      } else if ('anchor' in node && typeof node.anchor === 'string') {
        anchors.set(node.anchor, node as Node);
      }
    },
  });
  return targets;
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

class TreeBuilder {
  readonly unset = new Set<string>();
  private nodes = 0;

  constructor(
    private readonly lines: LineCounter,
    private readonly values: ValueReading | null,
    private readonly problems: Problems,
    private readonly targets: Map<Alias, Node>,
  ) {}

  /** The tree of a node; null when it cannot be read, which `problems` then tells. */
  build(node: Node, path: string, depth: number, fallback: Place): ComposeNode | null {
    const at: Place = { ...this.placeOf(node, fallback), path };
    this.nodes += 1;
    if (this.nodes > MAX_NODES) {
      if (this.nodes === MAX_NODES + 1)
        this.problems.invalid(at, `aliases make this file larger than ${MAX_NODES} nodes`);
      return null;
    }
    if (depth > MAX_DEPTH) {
      this.problems.invalid(at, `nested more than ${MAX_DEPTH} levels deep`);
      return null;
    }
    if (isAlias(node)) return this.alias(node, at, depth);
    if (node.tag && !CORE_TAG.test(node.tag)) {
      this.problems.unsupported(at, `the YAML tag "${node.tag}" is not supported`);
      return null;
    }
    if (isMap(node)) return this.map(node, at, depth);
    if (isSeq(node)) return this.list(node, at, depth);
    if (isScalar(node)) return this.scalar(node, at);
    this.problems.invalid(at, 'neither a mapping, a list nor a value');
    return null;
  }

  private alias(node: Alias, at: Place, depth: number): ComposeNode | null {
    const target = this.targets.get(node);
    if (target) return this.build(target, at.path, depth + 1, at);
    this.problems.invalid(at, `no anchor "&${node.source}" stands before this alias`);
    return null;
  }

  private list(node: YAMLSeq, at: Place, depth: number): ListNode {
    const items: ComposeNode[] = [];
    node.items.forEach((item, index) => {
      const child = `${at.path}[${index}]`;
      const built = isPair(item) ? null : this.build(item as Node, child, depth + 1, { ...at, path: child });
      if (built) items.push(built);
    });
    return { kind: 'list', ...at, items };
  }

  private map(node: YAMLMap, at: Place, depth: number): MapNode {
    const own = new Map<string, MapEntry>();
    const merged = new Map<string, MapEntry>();
    let mergedOnce = false;
    for (const pair of node.items) {
      const keyNode = pair.key as Node | null;
      const keyPlace = { ...this.placeOf(keyNode, at), path: at.path };
      if (!isScalar(keyNode) || keyNode.value === null) {
        this.problems.invalid(keyPlace, 'a key must be plain text');
        continue;
      }
      const name = keyText(keyNode);
      const key: Place = { ...keyPlace, path: childPath(at.path, name) };
      const isMerge = name === '<<' && keyNode.type === 'PLAIN';
      if (isMerge ? mergedOnce : own.has(name)) {
        this.problems.invalid(key, `the key "${name}" is there twice`);
        continue;
      }
      // Extensions of the top level serve as a store of anchors: they are not read where they stand.
      if (depth === 0 && name.startsWith('x-')) continue;
      const value = pair.value as Node | null;
      if (isMerge) {
        mergedOnce = true;
        this.merge(value, at, key, depth, merged);
        continue;
      }
      const built = value
        ? this.build(value, key.path, depth + 1, key)
        : ({ kind: 'scalar', ...key, text: '', type: 'null' } as const);
      if (built) own.set(name, { key, value: built });
    }
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry);
    return { kind: 'map', ...at, entries: own };
  }

  /** `<<`: a mapping or a list of them, earlier ones first (yaml.org/type/merge). */
  private merge(value: Node | null, at: Place, key: Place, depth: number, into: Map<string, MapEntry>): void {
    const built = value && this.build(value, at.path, depth + 1, key);
    if (!built) return;
    for (const source of built.kind === 'list' ? built.items : [built]) {
      if (source.kind !== 'map') {
        this.problems.invalid(key, '"<<" merges mappings only');
        continue;
      }
      for (const [name, entry] of source.entries) if (!into.has(name)) into.set(name, entry);
    }
  }

  private scalar(node: Scalar, at: Place): ComposeNode | null {
    const plain = node.type === 'PLAIN' && typeof node.source === 'string';
    const source = plain ? (node.source as string) : String(node.value ?? '');
    const type =
      node.value === null
        ? 'null'
        : typeof node.value === 'string'
          ? 'string'
          : typeof node.value === 'boolean'
            ? 'boolean'
            : 'number';
    if (source.includes('\0')) {
      this.problems.invalid(at, 'a value must not hold a NUL character');
      return null;
    }
    if (!this.values) return { kind: 'scalar', ...at, text: type === 'null' ? '' : source, type };
    const settled = this.values.settled.get(at.path);
    if (settled !== undefined) return { kind: 'scalar', ...at, text: settled, type: 'string' };
    try {
      const { text, unset } = interpolate(source, this.values.variables);
      for (const name of unset) this.unset.add(name);
      return { kind: 'scalar', ...at, text: type === 'null' ? '' : text, type };
    } catch (error) {
      if (!(error instanceof InterpolationError)) throw error;
      this.problems.invalid(at, error.message);
      return null;
    }
  }

  private placeOf(node: Node | null, fallback: Place): { line: number; column: number } {
    return node?.range ? place(this.lines, node.range[0]) : { line: fallback.line, column: fallback.column };
  }
}

function keyText(key: Scalar): string {
  return key.type === 'PLAIN' && typeof key.source === 'string' ? key.source : String(key.value);
}
