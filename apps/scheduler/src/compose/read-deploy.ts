import type { Problems } from './problems.js';
import { parseByteSize, parseCpus, parseDuration } from './quantities.js';
import { SERVICE_DEFAULTS, type ServiceSpec, type UpdateSpec } from './spec.js';
import type { Section } from './section.js';
import { readLabels } from './read-environment.js';

/** What of a service stands under `deploy`. */
export type DeploySpec = Pick<ServiceSpec, 'replicas' | 'limits' | 'reservations' | 'serviceLabels'> & {
  /** Without an order: that depends on the rest of the service. */
  update: Omit<UpdateSpec, 'order'> & { order: UpdateSpec['order'] | null };
};

const CPUS = 'a number of cores such as "0.5", at least 0.001';
const MEMORY = 'a size such as "512m", at least 6m';
const DURATION = 'a duration such as "10s"';
const MIN_MEMORY = 6 * 1024 ** 2;
const memory = (text: string): number | null => {
  const bytes = parseByteSize(text);
  return bytes !== null && bytes >= MIN_MEMORY ? bytes : null;
};

const HINTS: Record<string, string> = {
  restart_policy: 'Berth restarts what stops',
  placement: 'Berth places the instances',
  rollback_config: 'a rollback goes as the update does',
};

export function readDeploy(section: Section | undefined, problems: Problems): DeploySpec {
  const mode = section?.string('mode');
  if (section && mode !== undefined && mode !== 'replicated')
    problems.unsupported(section.keyPlace('mode'), `"mode: ${mode}" is not supported; "replicated" is`);
  const endpoint = section?.string('endpoint_mode');
  if (section && endpoint !== undefined && endpoint !== 'dnsrr')
    problems.unsupported(section.keyPlace('endpoint_mode'), `"${endpoint}" is not supported; "dnsrr" is`);
  const replicas = section?.integer('replicas', 0, 1000) ?? SERVICE_DEFAULTS.replicas;
  const resources = readResources(section?.section('resources'), problems);
  const update = readUpdate(section?.section('update_config'));
  const labels = section?.take('labels');
  section?.finish(HINTS);
  return { replicas, ...resources, update, serviceLabels: labels ? readLabels(labels, problems) : {} };
}

function readResources(
  section: Section | undefined,
  problems: Problems,
): Pick<ServiceSpec, 'limits' | 'reservations'> {
  const limits = section?.section('limits');
  const reserved = section?.section('reservations');
  const limit = {
    nanoCpus: limits?.parsed('cpus', CPUS, parseCpus),
    memoryBytes: limits?.parsed('memory', MEMORY, memory),
    pids: limits?.integer('pids', 1, 1_000_000),
  };
  const reservations = {
    nanoCpus: reserved?.parsed('cpus', CPUS, parseCpus) ?? null,
    memoryBytes: reserved?.parsed('memory', MEMORY, memory) ?? null,
  };
  limits?.finish();
  reserved?.finish();
  section?.finish();
  for (const [key, name] of [
    ['nanoCpus', 'cpus'],
    ['memoryBytes', 'memory'],
  ] as const) {
    const most = limit[key];
    if (reserved && most !== undefined && (reservations[key] ?? 0) > most)
      problems.invalid(reserved.keyPlace(name), `reserves more ${name} than its limit`);
  }
  return {
    limits: {
      // A reservation above the default is the wish for a limit at least as high.
      nanoCpus: limit.nanoCpus ?? Math.max(SERVICE_DEFAULTS.nanoCpus, reservations.nanoCpus ?? 0),
      memoryBytes: limit.memoryBytes ?? Math.max(SERVICE_DEFAULTS.memoryBytes, reservations.memoryBytes ?? 0),
      pids: limit.pids ?? SERVICE_DEFAULTS.pids,
    },
    reservations,
  };
}

function readUpdate(section: Section | undefined): DeploySpec['update'] {
  const update: DeploySpec['update'] = {
    parallelism: section?.integer('parallelism', 0, 1000) ?? 1,
    delayNs: section?.parsed('delay', DURATION, parseDuration) ?? 0,
    order: section?.oneOf('order', ['start-first', 'stop-first'] as const) ?? null,
    failureAction: section?.oneOf('failure_action', ['rollback', 'pause', 'continue'] as const) ?? 'rollback',
    monitorNs: section?.parsed('monitor', DURATION, parseDuration) ?? null,
    maxFailureRatio: section?.parsed('max_failure_ratio', 'a number from 0 to 1', parseRatio) ?? 0,
  };
  section?.finish();
  return update;
}

function parseRatio(text: string): number | null {
  return /^(0(\.\d{1,6})?|\.\d{1,6}|1(\.0{1,6})?)$/.test(text) ? Number(text) : null;
}
