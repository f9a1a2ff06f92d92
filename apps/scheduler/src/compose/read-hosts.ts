import { HostName } from '@berth/contracts';
import type { Problems } from './problems.js';
import { asList, asParsed } from './section.js';
import type { ComposeNode } from './tree.js';

const EXPECTED = 'a host name in lower case such as shop.example.org, with no wildcard and no port';

/** `[shop.example.org]`: names that the service answers at. */
export function readHosts(node: ComposeNode, problems: Problems): string[] {
  const parse = (text: string): string | null => HostName.safeParse(text).data ?? null;
  const hosts = (asList(node, problems)?.items ?? []).flatMap(
    (item) => asParsed(item, EXPECTED, parse, problems) ?? [],
  );
  // The first is the one that is shown, so their order is kept.
  return [...new Set(hosts)];
}
