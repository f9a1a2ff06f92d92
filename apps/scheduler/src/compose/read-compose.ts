import { BerthError, Name } from '@berth/contracts';
import type { Variables } from './interpolate.js';
import { parseYaml } from './parse-yaml.js';
import { Problems } from './problems.js';
import { readService } from './read-service.js';
import { readSecretDefinitions } from './read-secrets.js';
import { readVolumeDefinitions } from './read-volumes.js';
import { asMap, asScalar, Section } from './section.js';
import type { ComposeSpec, ServiceSpec } from './spec.js';
import { childPath, type MapNode } from './tree.js';
import { startOrder } from './start-order.js';

export const MAX_COMPOSE_BYTES = 1_048_576;
const MAX_SERVICES = 100;

export interface ComposeFile {
  spec: ComposeSpec;
  /** What a person should know, though it is no error. */
  warnings: string[];
}

/**
 * Reads a Compose file to the Compose Specification, with the environment's variables put in.
 * Throws BODY_TOO_LARGE over 1 MiB; COMPOSE_INVALID or COMPOSE_UNSUPPORTED with all `problems` found, each with its
 * line, column and path. What is not supported is never ignored.
 */
export function readCompose(
  text: string,
  variables: Variables,
  /**
   * By service, those that a release wrote down, or that were built for this one: what the file says of them, with whose
   * variables, does not count.
   */
  images: Readonly<Record<string, string>> = {},
): ComposeFile {
  if (Buffer.byteLength(text) > MAX_COMPOSE_BYTES)
    throw new BerthError('BODY_TOO_LARGE', `The Compose file is larger than ${MAX_COMPOSE_BYTES} bytes.`);
  const problems = new Problems();
  const settled = new Map(Object.entries(images).map(([name, image]) => [imagePath(name), image]));
  const { root, unset } = parseYaml(text, { variables, settled }, problems);
  const spec = root?.kind === 'map' ? readFile(root, variables, images, problems) : undefined;
  if (!spec && !problems.any)
    problems.invalid({ line: 1, column: 1, path: '' }, 'a Compose file is a mapping with "services"');
  if (!spec || problems.any) throw problems.toError();
  const warnings = [...unset]
    .sort()
    .map((name) => `The variable ${name} is not set; nothing stands in its place.`);
  return { spec, warnings };
}

function imagePath(service: string): string {
  return `${childPath('services', service)}.image`;
}

function readFile(
  root: MapNode,
  variables: Variables,
  images: Readonly<Record<string, string>>,
  problems: Problems,
): ComposeSpec {
  const file = new Section(root, problems);
  // `name` names the project, which the address of the request does already; `version` says nothing since 2020.
  file.string('name');
  file.string('version');
  readNetworkDefinitions(file, problems);
  const volumeSection = file.section('volumes');
  const volumes = volumeSection ? readVolumeDefinitions(volumeSection.node, problems) : {};
  const secretSection = file.section('secrets');
  const secrets = secretSection ? readSecretDefinitions(secretSection.node, problems) : new Set<string>();
  const servicesSection = file.section('services');
  const services: Record<string, ServiceSpec> = {};
  const entries = [...(servicesSection?.node.entries ?? [])].filter(([name]) => !name.startsWith('x-'));
  const names = new Set(entries.map(([name]) => name));
  const known = new Set(Object.keys(volumes));
  for (const [name, { key, value }] of entries.slice(0, MAX_SERVICES)) {
    const check = Name.safeParse(name);
    if (!check.success) problems.invalid(key, `the name of a service ${check.error.issues[0].message}`);
    const map = asMap(value, problems);
    const service =
      map &&
      readService(name, new Section(map, problems), {
        ...{ variables, images },
        volumes: known,
        secrets,
        services: names,
        problems,
      });
    if (service && check.success) services[name] = service;
  }
  if (entries.length > MAX_SERVICES)
    problems.unsupported(entries[MAX_SERVICES][1].key, `more than ${MAX_SERVICES} services`);
  if (entries.length === 0 && !problems.any)
    problems.invalid(servicesSection?.node ?? root, 'a Compose file must have at least one service');
  file.finish({ include: 'put all services into one file' });
  checkTogether(services, servicesSection?.node, problems);
  return { services, volumes: used(volumes, services) };
}

/** What no service can be blamed for alone: cycles, and one port or name of the host for two. */
function checkTogether(
  services: Record<string, ServiceSpec>,
  node: MapNode | undefined,
  problems: Problems,
): void {
  if (!node) return;
  const placeOf = (name: string) => node.entries.get(name)?.key ?? node;
  const order = startOrder(services);
  if ('cycle' in order) {
    const at = { ...placeOf(order.cycle[0]), path: `services.${order.cycle[0]}.depends_on` };
    problems.invalid(at, `the services depend on each other in a circle: ${order.cycle.join(' -> ')}`);
  }
  const holders = new Map<string, string>();
  const hostHolders = new Map<string, string>();
  for (const [name, { ports, hosts }] of Object.entries(services)) {
    for (const { published, protocol } of ports) {
      if (published === null) continue;
      const port = `${published}/${protocol}`;
      const holder = holders.get(port);
      if (holder !== undefined && holder !== name)
        problems.invalid(
          { ...placeOf(name), path: `services.${name}.ports` },
          `the host's port ${port} is published by "${holder}" already`,
        );
      holders.set(port, name);
    }
    for (const host of hosts) {
      const holder = hostHolders.get(host);
      if (holder !== undefined)
        problems.invalid(
          { ...placeOf(name), path: `services.${name}.x-berth.hosts` },
          `the host name "${host}" is that of "${holder}" already`,
        );
      hostHolders.set(host, name);
    }
  }
}

function readNetworkDefinitions(file: Section, problems: Problems): void {
  for (const [name, { key, value }] of file.section('networks')?.node.entries ?? []) {
    if (name.startsWith('x-')) continue;
    const plain =
      (value.kind === 'scalar' && value.type === 'null') ||
      (value.kind === 'map' && value.entries.size === 0);
    if (name !== 'default')
      problems.unsupported(
        key,
        `the network "${name.slice(0, 80)}": each environment has one network, "default"`,
      );
    else if (!plain) {
      if (value.kind === 'map') new Section(value, problems).finish();
      else asScalar(value, problems);
    }
  }
}

function used(
  volumes: ComposeSpec['volumes'],
  services: Record<string, ServiceSpec>,
): ComposeSpec['volumes'] {
  const mounted = new Set(Object.values(services).flatMap((service) => service.volumes.map((v) => v.volume)));
  return Object.fromEntries(Object.entries(volumes).filter(([name]) => mounted.has(name)));
}
