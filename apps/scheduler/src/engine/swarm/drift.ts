import type { EngineDrift, Rollout } from '../container-engine.js';
import type { SwarmServiceSpec } from './engine-api.js';
import { Generations } from './generations.js';
import { LABEL } from './labels.js';
import { secretName } from './names.js';
import { toSwarmService, type HeldSecret } from './service-template.js';
import type { Swarm } from './swarm.js';

/** What is of each rollout, and no difference in what runs. */
const OF_ROLLOUTS = new Set<string>([LABEL.release, LABEL.deployment]);
const LATE_VARIABLE = 'BERTH_RELEASE';
/** What the engine fills in by itself, or counts. */
const ENGINE_OWN =
  /^(TaskTemplate\.(ForceUpdate|Runtime|Placement\.Platforms)|TaskTemplate\.ContainerSpec\.(Isolation|DNSConfig)|Mode\.Replicated\.MaxConcurrent)(\.|$)/;

/** How the engine has an environment against how a rollout left it. Makes nothing, not even a network. */
export async function findDrift(swarm: Swarm, rollout: Rollout): Promise<EngineDrift[]> {
  const { objects, registry, metadataUrl } = swarm;
  const networkId = await objects.networkOf(rollout.target);
  if (networkId === undefined) return [{ service: null, path: 'network', wanted: 'its own', found: null }];
  const { installation } = objects;
  const generations = new Generations(rollout, { installation, registry, networkId, metadataUrl });
  const present = await objects.services(objects.labelsOf(rollout.target));
  const byName = new Map(present.map(({ Spec: spec }) => [spec.Name, spec]));
  const findings: EngineDrift[] = [];
  for (const [service, swarmName] of generations.names) {
    const found = byName.get(swarmName);
    if (!found) findings.push({ service, path: '', wanted: swarmName, found: null });
    else findings.push(...differences(rollout, service, found, generations));
  }
  for (const { Name: name, Labels: labels } of byName.values()) {
    if (!generations.has(name))
      findings.push({ service: labels[LABEL.service] ?? null, path: '', wanted: null, found: name });
  }
  return findings;
}

function differences(
  rollout: Rollout,
  service: string,
  found: SwarmServiceSpec,
  { surroundings }: Generations,
): EngineDrift[] {
  const secrets = heldByName(rollout, service, surroundings.installation);
  const hidden = new Set(rollout.spec.services[service].secrets.flatMap(({ variable }) => variable ?? []));
  const wanted = leaves(toSwarmService(rollout, service, surroundings, secrets), hidden);
  const actual = leaves(found, hidden);
  return [...new Set([...wanted.keys(), ...actual.keys()])]
    .sort()
    .filter((path) => wanted.get(path) !== actual.get(path))
    .map((path) => ({ service, path, wanted: wanted.get(path) ?? null, found: actual.get(path) ?? null }));
}

/** Which secrets it is given is compared by name and version; their values are not needed for that, and not read. */
function heldByName(
  { spec, target }: Rollout,
  service: string,
  installation: string,
): Map<string, HeldSecret> {
  return new Map(
    spec.services[service].secrets.map(({ secret }) => {
      const name = secretName(installation, target, secret, spec.secrets[secret]);
      return [secret, { id: '', name, value: Buffer.alloc(0) }] as const;
    }),
  );
}

/** What a Swarm service says, by path, in the words that a person would use; without what is empty. */
function leaves(spec: SwarmServiceSpec, hidden: ReadonlySet<string>): Map<string, string> {
  const { ContainerSpec: container } = spec.TaskTemplate;
  const found = new Map<string, string>();
  for (const variable of container.Env ?? []) {
    const [name] = variable.split('=', 1);
    if (name === LATE_VARIABLE) continue;
    found.set(`environment.${name}`, hidden.has(name) ? 'secret' : variable.slice(name.length + 1));
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
