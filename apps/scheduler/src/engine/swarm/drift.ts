import type { EngineDrift, EnvironmentRef, Rollout } from '../container-engine.js';
import type { SwarmService, SwarmServiceSpec } from './engine-api.js';
import { Generations } from './generations.js';
import { LABEL } from './labels.js';
import { networkName, secretName } from './names.js';
import { toSwarmService, type HeldSecret, type Surroundings } from './service-template.js';
import type { Swarm } from './swarm.js';

/** What is of each rollout, and no difference in what runs. */
const OF_ROLLOUTS = new Set<string>([LABEL.release, LABEL.deployment]);
const LATE_VARIABLE = 'BERTH_RELEASE';
/** What the engine fills in by itself, or counts. */
const ENGINE_OWN =
  /^(TaskTemplate\.(ForceUpdate|Runtime|Placement\.Platforms)|TaskTemplate\.ContainerSpec\.(Isolation|DNSConfig)|Mode\.Replicated\.MaxConcurrent)(\.|$)/;

/** How the engine has environments against how rollouts left them. Makes nothing, not even a network. */
export async function findDrift(swarm: Swarm, rollouts: readonly Rollout[]): Promise<EngineDrift[][]> {
  const { objects, registry, metadataUrl } = swarm;
  const { installation } = objects;
  const [services, networks] = await Promise.all([
    objects.services({ [LABEL.installation]: installation }),
    objects.networks(),
  ]);
  return Promise.all(
    rollouts.map((rollout) => {
      const networkId = networks.get(networkName(installation, rollout.target));
      if (networkId === undefined)
        return [{ service: null, path: 'network', wanted: 'its own', found: null }];
      const surroundings = { installation, registry, networkId, metadataUrl };
      return compare(rollout, services.filter(belongsTo(rollout.target)), surroundings);
    }),
  );
}

function belongsTo({ project, environment }: EnvironmentRef): (service: SwarmService) => boolean {
  return ({ Spec: { Labels: labels } }) =>
    labels[LABEL.project] === project && labels[LABEL.environment] === environment;
}

async function compare(
  rollout: Rollout,
  present: readonly SwarmService[],
  surroundings: Surroundings,
): Promise<EngineDrift[]> {
  const generations = new Generations(rollout, surroundings);
  const left = new Map(present.map(({ Spec: spec }) => [spec.Name, spec]));
  const findings: EngineDrift[] = [];
  for (const [service, swarmName] of generations.names) {
    const found = left.get(swarmName) ?? ofAnEarlierMake(rollout, service, left);
    if (found) left.delete(found.Name);
    if (!found) findings.push({ service, path: '', wanted: swarmName, found: null });
    else if (found.Name === swarmName)
      findings.push(...(await differences(rollout, service, found, surroundings)));
  }
  for (const { Name: name, Labels: labels } of left.values())
    findings.push({ service: labels[LABEL.service] ?? null, path: '', wanted: null, found: name });
  return findings;
}

/**
 * What this very deployment brought, by a Berth that made services otherwise: an upgrade is nobody's change, and it is
 * known again from the next deployment on.
 */
function ofAnEarlierMake(
  { deployment }: Rollout,
  service: string,
  present: ReadonlyMap<string, SwarmServiceSpec>,
): SwarmServiceSpec | undefined {
  return [...present.values()].find(
    ({ Labels: labels }) => labels[LABEL.service] === service && labels[LABEL.deployment] === deployment,
  );
}

async function differences(
  rollout: Rollout,
  service: string,
  found: SwarmServiceSpec,
  surroundings: Surroundings,
): Promise<EngineDrift[]> {
  const secrets = await heldByName(rollout, service, surroundings.installation);
  const hidden = new Map(
    rollout.spec.services[service].secrets.flatMap(({ secret, variable }) =>
      variable === null ? [] : [[variable, secrets.get(secret)?.value.toString('utf8') ?? '']],
    ),
  );
  const wanted = leaves(toSwarmService(rollout, service, surroundings, secrets), hidden);
  const actual = leaves(found, hidden);
  return [...new Set([...wanted.keys(), ...actual.keys()])]
    .sort()
    .filter((path) => wanted.get(path) !== actual.get(path))
    .map((path) => ({ service, path, wanted: wanted.get(path) ?? null, found: actual.get(path) ?? null }));
}

/** Secrets in files are compared by name and version; only those in variables are read, as the engine shows these. */
async function heldByName(
  { spec, target, secret: read }: Rollout,
  service: string,
  installation: string,
): Promise<Map<string, HeldSecret>> {
  const held = spec.services[service].secrets.map(async ({ secret, variable }) => {
    const version = spec.secrets[secret];
    const value = variable === null ? Buffer.alloc(0) : await read(secret, version);
    return [secret, { id: '', name: secretName(installation, target, secret, version), value }] as const;
  });
  return new Map(await Promise.all(held));
}

/** What a Swarm service says, by path, in the words that a person would use; without what is empty. */
function leaves(spec: SwarmServiceSpec, hidden: ReadonlyMap<string, string>): Map<string, string> {
  const { ContainerSpec: container } = spec.TaskTemplate;
  const found = new Map<string, string>();
  for (const variable of container.Env ?? []) {
    const [name] = variable.split('=', 1);
    if (name === LATE_VARIABLE) continue;
    const value = variable.slice(name.length + 1);
    const told = hidden.has(name)
      ? hidden.get(name) === value
        ? '(the secret)'
        : '(something else)'
      : value;
    found.set(`environment.${name}`, told);
  }
  for (const { SecretName: name, File: file } of container.Secrets ?? [])
    found.set(`secrets.${file.Name}`, `${name} ${file.UID}:${file.GID} ${file.Mode.toString(8)}`);
  const rest = {
    ...spec,
    TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...container, Env: null, Secrets: null } },
  };
  collect(rest, '', found);
  return found;
}

function collect(value: object, prefix: string, into: Map<string, string>): void {
  for (const [key, member] of Object.entries(value) as [string, unknown][]) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (ENGINE_OWN.test(path) || OF_ROLLOUTS.has(key) || isEmpty(member)) continue;
    if (typeof member === 'object' && !Array.isArray(member)) collect(member as object, path, into);
    else into.set(wordOf(path), typeof member === 'string' ? member : JSON.stringify(withoutEmpty(member)));
  }
}

/** As Compose calls it, where that has a word for it. */
function wordOf(path: string): string {
  const words: Record<string, string> = {
    'Mode.Replicated.Replicas': 'replicas',
    'TaskTemplate.ContainerSpec.Image': 'image',
    'TaskTemplate.ContainerSpec.Args': 'command',
    'TaskTemplate.ContainerSpec.Command': 'entrypoint',
    'TaskTemplate.ContainerSpec.User': 'user',
    'TaskTemplate.ContainerSpec.Mounts': 'volumes',
    'TaskTemplate.Resources.Limits.NanoCPUs': 'limits.nanoCpus',
    'TaskTemplate.Resources.Limits.MemoryBytes': 'limits.memoryBytes',
    'TaskTemplate.Resources.Limits.Pids': 'limits.pids',
    'EndpointSpec.Ports': 'ports',
  };
  return words[path] ?? path.replace(/^TaskTemplate\.(ContainerSpec\.)?/, '');
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** With the keys of objects in one order, and lists of objects too: others than we have theirs. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) {
    const members = value.map(withoutEmpty);
    if (!members.every((member) => typeof member === 'object')) return members;
    return members.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value)
    .map(([key, member]) => [key, withoutEmpty(member)] as const)
    .filter(([, member]) => !isEmpty(member))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members);
}
