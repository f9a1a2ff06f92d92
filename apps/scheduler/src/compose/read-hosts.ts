import type { Problems } from './problems.js';
import { asList, asParsed } from './section.js';
import type { ComposeNode } from './tree.js';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const EXPECTED = 'a host name in lower case such as shop.example.org, with no wildcard and no port';

/** `[shop.example.org]`: names that the service answers at. */
export function readHosts(node: ComposeNode, problems: Problems): string[] {
  const hosts = (asList(node, problems)?.items ?? []).flatMap(
    (item) => asParsed(item, EXPECTED, parseHost, problems) ?? [],
  );
  // The first is the one that is shown, so their order is kept.
  return [...new Set(hosts)];
}

/** Null for what is no name in the DNS: an address ends in a number, which no name does. */
export function parseHost(text: string): string | null {
  const labels = text.split('.');
  const named = labels.length > 1 && labels.every((label) => LABEL.test(label));
  return named && text.length <= 253 && !/^\d+$/.test(labels.at(-1) ?? '') ? text : null;
}
