import { Name } from '@berth/contracts';
import type { Problems } from './problems.js';
import { asList, asParsed, asText, Section } from './section.js';
import type { HttpSpec, SecretMountSpec, ServiceSpec } from './spec.js';
import type { ComposeNode } from './tree.js';
import { parseInteger } from './quantities.js';
import { parseSecretName } from './read-secrets.js';

const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export type Extension = Pick<ServiceSpec, 'http' | 'uses'> & { secretVariables: SecretMountSpec[] };

/** `x-berth` of a service: what Compose has no word for. */
export function readExtension(section: Section | undefined, problems: Problems): Extension {
  const http = section?.take('http');
  const uses = section?.take('uses');
  const variables = section?.take('secret_variables');
  const extension: Extension = {
    http: http ? readHttp(http, problems) : null,
    uses: uses ? readUses(uses, problems) : [],
    secretVariables: variables ? readSecretVariables(variables, problems) : [],
  };
  section?.finish();
  return extension;
}

const port = (text: string): number | null => {
  const value = parseInteger(text);
  return value !== null && value >= 1 && value <= 65_535 ? value : null;
};

/** `http: 8080`, or `http: { port: 8080, protocol: h2c, hosts: [shop.example.com] }`. */
function readHttp(node: ComposeNode, problems: Problems): HttpSpec | null {
  if (node.kind !== 'map') {
    const plain = asParsed(node, 'a port from 1 to 65535', port, problems);
    return plain === undefined ? null : { port: plain, protocol: 'http', hosts: [] };
  }
  const section = new Section(node, problems);
  const own = section.parsed('port', 'a port from 1 to 65535', port);
  const protocol = section.oneOf('protocol', ['http', 'h2c'] as const) ?? 'http';
  const hostList = section.take('hosts');
  const hosts = (hostList && asList(hostList, problems)?.items) ?? [];
  const names = hosts.map((item) => asParsed(item, 'a host name', parseHost, problems));
  section.finish();
  if (own === undefined && !section.take('port')) problems.invalid(node, '"http" must have a "port"');
  if (own === undefined) return null;
  return { port: own, protocol, hosts: distinct(names) };
}

function parseHost(text: string): string | null {
  const name = text.toLowerCase();
  return name.length <= 253 && HOST.test(name) ? name : null;
}

function readUses(node: ComposeNode, problems: Problems): string[] {
  const parse = (text: string): string | null => (Name.safeParse(text).success ? text : null);
  const items = asList(node, problems)?.items ?? [];
  return distinct(items.map((item) => asParsed(item, 'the name of a resource', parse, problems)));
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

function distinct(values: (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))].sort();
}
