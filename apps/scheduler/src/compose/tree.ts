import type { Place } from './problems.js';

/** The Compose file as it is read: aliases and merges resolved, variables put in, each node with its place. */
export type ComposeNode = MapNode | ListNode | ScalarNode;

export interface MapEntry {
  key: Place;
  value: ComposeNode;
}

export interface MapNode extends Place {
  kind: 'map';
  entries: Map<string, MapEntry>;
}

export interface ListNode extends Place {
  kind: 'list';
  items: ComposeNode[];
}

export interface ScalarNode extends Place {
  kind: 'scalar';
  /** As written in the file (so `1.10` stays `1.10`), with variables put in. */
  text: string;
  type: 'string' | 'number' | 'boolean' | 'null';
}

export function describe(node: ComposeNode): string {
  if (node.kind === 'map') return 'a mapping';
  if (node.kind === 'list') return 'a list';
  return node.type === 'null' ? 'nothing' : JSON.stringify(node.text.slice(0, 80));
}

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;

export function childPath(path: string, key: string): string {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key.slice(0, 80))}]`;
  return path ? `${path}.${key}` : key;
}
