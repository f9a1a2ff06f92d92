import { ResourceName } from '@berth/contracts';
import type { Problems } from './problems.js';
import { readHosts } from './read-hosts.js';
import { asList, asParsed, asText, Section } from './section.js';
import type { HttpSpec, SecretMountSpec, ServiceSpec } from './spec.js';
import type { ComposeNode } from './tree.js';
import { parseInteger } from './quantities.js';
import { parseSecretName } from './read-secrets.js';

export type Extension = Pick<ServiceSpec, 'http' | 'hosts' | 'uses'> & { secretVariables: SecretMountSpec[] };

/** `x-berth` of a service: what Compose has no word for. */
export function readExtension(section: Section | undefined, problems: Problems): Extension {
  const http = section?.take('http');
  const hosts = section?.take('hosts');
  const variables = section?.take('secret_variables');
  const uses = section?.take('uses');
  const extension: Extension = {
    http: http ? readHttp(http, problems) : null,
    hosts: hosts ? readHosts(hosts, problems) : [],
    uses: uses ? readUses(uses, problems) : [],
    secretVariables: variables ? readSecretVariables(variables, problems) : [],
  };
  if (hosts && !http) problems.invalid(hosts, '"hosts" needs "http" beside it: the port that requests go to');
  section?.finish();
  return extension;
}

const port = (text: string): number | null => {
  const value = parseInteger(text);
  return value !== null && value >= 1 && value <= 65_535 ? value : null;
};

/** `http: 8080`, or `http: { port: 8080, protocol: h2c }`. */
function readHttp(node: ComposeNode, problems: Problems): HttpSpec | null {
  if (node.kind !== 'map') {
    const plain = asParsed(node, 'a port from 1 to 65535', port, problems);
    return plain === undefined ? null : { port: plain, protocol: 'http' };
  }
  const section = new Section(node, problems);
  const own = section.parsed('port', 'a port from 1 to 65535', port);
  const protocol = section.oneOf('protocol', ['http', 'h2c'] as const) ?? 'http';
  section.finish();
  if (own === undefined && !section.take('port')) problems.invalid(node, '"http" must have a "port"');
  return own === undefined ? null : { port: own, protocol };
}

/** `[orders-db]`: resources of the environment. */
function readUses(node: ComposeNode, problems: Problems): string[] {
  const parse = (text: string): string | null => ResourceName.safeParse(text).data ?? null;
  const names = (asList(node, problems)?.items ?? []).flatMap(
    (item) => asParsed(item, 'the name of a resource', parse, problems) ?? [],
  );
  return [...new Set(names)].sort();
}

/** `[STRIPE_KEY]`, or `{ STRIPE_KEY: stripe-key }`: variables whose values are secrets of the environment. */
function readSecretVariables(node: ComposeNode, problems: Problems): SecretMountSpec[] {
  const entries =
    node.kind === 'map'
      ? [...node.entries].map(([variable, { key, value }]) => ({ variable, at: key, secret: value }))
      : (asList(node, problems)?.items ?? []).map((item) => ({
          variable: asText(item, problems) ?? '',
          at: item,
          secret: item,
        }));
  return entries.flatMap(({ variable, at, secret }) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(variable)) {
      problems.invalid(at, `"${variable.slice(0, 80)}" is no name of an environment variable`);
      return [];
    }
    const name = asParsed(secret, 'the name of a secret', parseSecretName, problems);
    return name === undefined ? [] : [{ secret: name, file: null, variable }];
  });
}
