import { parseCapability } from './capabilities.js';
import type { Variables } from './interpolate.js';
import type { Problems } from './problems.js';
import { parseDuration } from './quantities.js';
import { readDeploy } from './read-deploy.js';
import { readEnvironment, readLabels } from './read-environment.js';
import { readHealthcheck } from './read-healthcheck.js';
import { readExpose, readPorts } from './read-ports.js';
import { readExtension } from './read-extension.js';
import { readSecretMounts } from './read-secrets.js';
import { readMounts, readTmpfs } from './read-volumes.js';
import { asList, asMap, asParsed, asText, Section } from './section.js';
import { SERVICE_DEFAULTS, type DependencyCondition, type ServiceSpec, type UpdateSpec } from './spec.js';
import type { ComposeNode } from './tree.js';
import { splitWords } from './words.js';

const HINTS: Record<string, string> = {
  container_name: 'an instance is named by Berth; others reach it by the name of the service',
  network_mode: 'each environment has one network of its own',
  privileged: 'add the capabilities it needs with "cap_add"',
  env_file: 'use "environment", and variables of the environment',
  scale: 'use "deploy.replicas"',
  mem_limit: 'use "deploy.resources.limits.memory"',
  cpus: 'use "deploy.resources.limits.cpus"',
  pids_limit: 'use "deploy.resources.limits.pids"',
};

export interface FileContext {
  variables: Variables;
  volumes: ReadonlySet<string>;
  /** Those of the file's top level. */
  secrets: ReadonlySet<string>;
  /** Those that are settled, by service. */
  images: Readonly<Record<string, string>>;
  services: ReadonlySet<string>;
  problems: Problems;
}

/** One entry of `services`; undefined when it has no image. */
export function readService(name: string, section: Section, context: FileContext): ServiceSpec | undefined {
  const { problems, variables } = context;
  const image = readImage(name, section, context);
  const entrypoint = readWords(section, 'entrypoint', problems);
  const command = readWords(section, 'command', problems);
  checkCommand(section, entrypoint, command, problems);
  const environment =
    read(section, 'environment', (node) => readEnvironment(node, variables, problems)) ?? {};
  const ports = read(section, 'ports', (node) => readPorts(node, problems)) ?? [];
  const mounts = read(section, 'volumes', (node) => readMounts(node, context.volumes, problems));
  const tmpfs = [
    ...(read(section, 'tmpfs', (node) => readTmpfs(node, problems)) ?? []),
    ...(mounts?.tmpfs ?? []),
  ];
  const healthcheck = section.section('healthcheck');
  const deploySection = section.section('deploy');
  const { update, ...deploy } = readDeploy(deploySection, problems);
  readNetworks(section, problems);
  readRestart(section, problems);
  const { secretVariables, ...extension } = readExtension(section.section('x-berth'), problems);
  const spec: Omit<ServiceSpec, 'image' | 'update'> = {
    entrypoint,
    command,
    environment,
    ports,
    expose: read(section, 'expose', (node) => readExpose(node, problems)) ?? [],
    healthcheck: healthcheck ? readHealthcheck(healthcheck, problems) : null,
    dependsOn: read(section, 'depends_on', (node) => readDependencies(node, context)) ?? {},
    ...deploy,
    user: section.parsed('user', 'a user, or user:group', parseUser) ?? null,
    readOnly: section.boolean('read_only') ?? false,
    tmpfs,
    volumes: mounts?.volumes ?? [],
    labels: read(section, 'labels', (node) => readLabels(node, problems)) ?? {},
    stopGracePeriodNs:
      section.parsed('stop_grace_period', 'a duration such as "10s"', parseDuration) ??
      SERVICE_DEFAULTS.stopGracePeriodNs,
    init: section.boolean('init') ?? SERVICE_DEFAULTS.init,
    capAdd: read(section, 'cap_add', (node) => readCapabilities(node, problems)) ?? [],
    capDrop: read(section, 'cap_drop', (node) => readCapabilities(node, problems)) ?? [],
    ...extension,
    secrets: [
      ...(read(section, 'secrets', (node) => readSecretMounts(node, context.secrets, problems)) ?? []),
      ...secretVariables,
    ],
  };
  checkVariables(section, spec, problems);
  checkMountPaths(section, spec, problems);
  section.finish(HINTS);
  if (!image) return undefined;
  return {
    image,
    ...spec,
    update: { ...update, order: updateOrder(update.order, spec, deploySection, problems) },
  };
}

/**
 * Start-first loses no request. But two instances cannot hold one port of a host, nor should two write to one volume:
 * there the old one stops first.
 */
function updateOrder(
  asked: UpdateSpec['order'] | null,
  spec: Pick<ServiceSpec, 'ports' | 'volumes'>,
  deploy: Section | undefined,
  problems: Problems,
): UpdateSpec['order'] {
  const holdsPort = spec.ports.some((port) => port.published !== null);
  if (asked === 'start-first' && holdsPort && deploy) {
    problems.unsupported(
      { ...deploy.keyPlace('update_config'), path: `${deploy.node.path}.update_config.order` },
      '"start-first" cannot work with a fixed host port: the new instance waits for the port of the old one',
    );
  }
  return asked ?? (holdsPort || spec.volumes.length > 0 ? 'stop-first' : 'start-first');
}

function read<T>(section: Section, key: string, reader: (node: ComposeNode) => T): T | undefined {
  const node = section.take(key);
  return node && reader(node);
}

/** What is built is settled by whoever had it built; a name beside it is not looked at. */
function readImage(name: string, section: Section, { images, problems }: FileContext): string | undefined {
  const build = section.take('build');
  const node = section.take('image');
  const settled = Object.hasOwn(images, name) ? images[name] : undefined;
  if (build && settled === undefined) {
    const todo = '"berth deploy" builds it; over REST, build it first and say in "images" what it came to';
    problems.unsupported(section.keyPlace('build'), `"build" needs an image that was built: ${todo}`);
    return undefined;
  }
  const text = settled ?? (node && asText(node, problems));
  if (!node && settled === undefined)
    problems.invalid(section.node, 'a service must have an "image" or a "build"');
  if (text === undefined) return undefined;
  if (couldBeReference(text)) return text;
  problems.invalid(node ?? section.node, `"${text.slice(0, 80)}" is no image reference`);
  return undefined;
}

/** The registry-proxy reads references in full; here only what can be none is turned away. */
export function couldBeReference(text: string): boolean {
  return /^[\w][\w.:/@-]{0,1023}$/.test(text);
}

function readWords(section: Section, key: string, problems: Problems): string[] | null {
  const node = section.take(key);
  if (!node) return null;
  if (node.kind === 'list') return node.items.map((item) => asText(item, problems) ?? '');
  return asParsed(node, 'a command line with its quotes closed', splitWords, problems) ?? null;
}

/** What the engine cannot express: no command at all, where the image has one. */
function checkCommand(
  section: Section,
  entrypoint: string[] | null,
  command: string[] | null,
  problems: Problems,
): void {
  if (command?.length === 0 && !entrypoint?.length)
    problems.unsupported(section.keyPlace('command'), 'an empty command needs an "entrypoint" beside it');
  if (entrypoint?.length === 0 && !command?.length)
    problems.unsupported(section.keyPlace('entrypoint'), 'an empty entrypoint needs a "command" beside it');
}

function readDependencies(
  node: ComposeNode,
  { services, problems }: FileContext,
): Record<string, DependencyCondition> {
  const dependencies: Record<string, DependencyCondition> = {};
  const add = (at: ComposeNode, name: string, condition: DependencyCondition, required: boolean): void => {
    if (services.has(name)) dependencies[name] = condition;
    else if (required) problems.invalid(at, `there is no service "${name.slice(0, 80)}"`);
  };
  if (node.kind === 'list') {
    for (const item of node.items) {
      const name = asText(item, problems);
      if (name !== undefined) add(item, name, 'started', true);
    }
    return dependencies;
  }
  for (const [name, { value }] of asMap(node, problems)?.entries ?? []) {
    const map = asMap(value, problems);
    if (!map) continue;
    const section = new Section(map, problems);
    const condition = section.string('condition') ?? 'service_started';
    if (condition !== 'service_started' && condition !== 'service_healthy')
      problems.unsupported(
        section.keyPlace('condition'),
        `"${condition}" is not supported; "service_started" and "service_healthy" are`,
      );
    const required = section.boolean('required') ?? true;
    if (section.boolean('restart'))
      problems.unsupported(section.keyPlace('restart'), '"restart: true" is not supported');
    section.finish();
    add(map, name, condition === 'service_healthy' ? 'healthy' : 'started', required);
  }
  return dependencies;
}

function readCapabilities(node: ComposeNode, problems: Problems): string[] {
  const names = (asList(node, problems)?.items ?? []).map((item) =>
    asParsed(item, 'a Linux capability such as NET_ADMIN', parseCapability, problems),
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** One network an environment: a service may name it, and no other. */
function readNetworks(section: Section, problems: Problems): void {
  const node = section.take('networks');
  if (!node) return;
  const names =
    node.kind === 'map'
      ? [...node.entries].map(([name, { key, value }]) => ({
          name,
          at: key,
          plain: value.kind === 'scalar' && value.type === 'null',
        }))
      : (asList(node, problems)?.items ?? []).map((item) => ({
          name: asText(item, problems),
          at: item,
          plain: true,
        }));
  for (const { name, at, plain } of names) {
    if (name !== 'default' || !plain)
      problems.unsupported(at, 'only the network "default", without settings, is supported');
  }
}

/** A variable is either text or a secret. */
function checkVariables(
  section: Section,
  { environment, secrets }: Pick<ServiceSpec, 'environment' | 'secrets'>,
  problems: Problems,
): void {
  const taken = new Set(Object.keys(environment));
  for (const { variable } of secrets) {
    if (variable === null) continue;
    if (taken.has(variable))
      problems.invalid(section.keyPlace('x-berth'), `the variable "${variable}" is there twice`);
    taken.add(variable);
  }
}

/** Whatever stops is started again: each policy that asks for that is met, and "no" cannot be. */
function readRestart(section: Section, problems: Problems): void {
  const policy = section.string('restart');
  if (policy !== undefined && !/^(always|unless-stopped|on-failure(:\d+)?)$/.test(policy))
    problems.unsupported(section.keyPlace('restart'), `"restart: ${policy}": Berth restarts what stops`);
}

function parseUser(text: string): string | null {
  return /^[\w.-]+(:[\w.-]+)?$/.test(text) ? text : null;
}

function checkMountPaths(
  section: Section,
  { volumes, tmpfs }: Pick<ServiceSpec, 'volumes' | 'tmpfs'>,
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const { path } of [...volumes, ...tmpfs]) {
    const clean = path.replace(/\/+$/, '');
    if (seen.has(clean)) problems.invalid(section.keyPlace('volumes'), `"${clean}" is mounted twice`);
    seen.add(clean);
  }
}
