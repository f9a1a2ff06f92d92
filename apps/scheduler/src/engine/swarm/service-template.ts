import { createHash } from 'node:crypto';
import { canonicalJson, type PinnedImage, type RunService, type ServiceSpec } from '../../compose/index.js';
import type { EnvironmentRef, Rollout } from '../container-engine.js';
import { upstreamName } from '../way-in.js';
import type {
  ContainerTemplate,
  Mount,
  SecretReference,
  SwarmServiceSpec,
  TaskTemplate,
  UpdateConfig,
} from './engine-api.js';
import { environmentLabels, LABEL, rolloutLabels } from './labels.js';
import { serviceName, volumeName } from './names.js';

/** Where things are: what a release says nothing about. */
export interface Surroundings {
  installation: string;
  /** host:port of the registry-proxy as the engine sees it. */
  registry: string;
  networkId: string;
  /** Where instances ask about their environment; left out where they can't. */
  metadataUrl?: string;
}

/** A secret as the swarm holds it. */
export interface HeldSecret {
  id: string;
  name: string;
  value: Buffer;
}

/**
 * Of the engine's default capabilities, those that common images can do without: raw sockets, device nodes, chroot, the
 * kernel's audit log, and handing out more capabilities. What stays lets `nginx` bind port 80 and change its user.
 */
export const DROPPED_CAPABILITIES = ['AUDIT_WRITE', 'MKNOD', 'NET_RAW', 'SETFCAP', 'SETPCAP', 'SYS_CHROOT'];

/** How long an instance must stay up before Swarm counts it as well, in nanoseconds. */
export const MONITOR_NS = 1e9;
const HASH_DIGITS = 8;
/** Short, so that a crash loop shows in seconds. */
const RESTART_DELAY_NS = 1e9;

/**
 * Hash of all that the containers of a service are made from. Each has a Swarm service of its own: what has not changed is
 * left running, and what has comes up beside it. Secrets count by name and version, never by value.
 */
export function templateHash(rollout: Rollout, name: string, surroundings: Surroundings): string {
  const spec = rollout.spec.services[name];
  const made = {
    template: taskTemplate(spec, name, rollout.target, surroundings),
    ports: portConfigs(spec),
    restarts: spec.restarts,
    secrets: spec.secrets.map((mount) => ({ ...mount, version: rollout.spec.secrets[mount.secret] ?? null })),
  };
  return createHash('sha256').update(canonicalJson(made)).digest('hex');
}

/** The name of the Swarm service for these containers. */
export function generationName(rollout: Rollout, name: string, surroundings: Surroundings): string {
  const hash = templateHash(rollout, name, surroundings);
  return serviceName(surroundings.installation, rollout.target, name, hash.slice(0, HASH_DIGITS));
}

/** The Swarm service of a service of a release. `secrets` holds those that it is given. */
export function toSwarmService(
  rollout: Rollout,
  name: string,
  surroundings: Surroundings,
  secrets: ReadonlyMap<string, HeldSecret> = new Map(),
): SwarmServiceSpec {
  const spec = rollout.spec.services[name];
  const { installation } = surroundings;
  const hash = templateHash(rollout, name, surroundings);
  const template = taskTemplate(spec, name, rollout.target, surroundings);
  const told = { ...rolloutLabels(rollout), [LABEL.template]: hash };
  const { ContainerSpec: container } = template;
  // Not part of the hash: they tell by whom and what from the containers were made.
  container.Labels = { ...container.Labels, ...told };
  container.Env = [...container.Env, ...lateVariables(rollout, spec, secrets)].sort();
  const files = secretFiles(spec, secrets);
  if (files.length > 0) container.Secrets = files;
  const own = { ...environmentLabels(installation, rollout.target), [LABEL.service]: name };
  return {
    Name: generationName(rollout, name, surroundings),
    Labels: { ...spec.serviceLabels, ...own, ...told },
    TaskTemplate: template,
    Mode: { Replicated: { Replicas: spec.replicas } },
    UpdateConfig: updateConfig(spec.update, 'pause'),
    RollbackConfig: updateConfig(spec.update, 'pause'),
    EndpointSpec: { Mode: 'dnsrr', Ports: portConfigs(spec) },
  };
}

/** Where an instance finds itself, and what it must not be called by: a new release does not restart what is the same. */
function lateVariables(
  { release }: Rollout,
  { secrets: mounts }: RunService,
  secrets: ReadonlyMap<string, HeldSecret>,
): string[] {
  return [
    `BERTH_RELEASE=${release}`,
    ...mounts.flatMap(({ secret, variable }) =>
      variable === null ? [] : [`${variable}=${held(secrets, secret).value.toString('utf8')}`],
    ),
  ];
}

function secretFiles(
  { secrets: mounts }: RunService,
  secrets: ReadonlyMap<string, HeldSecret>,
): SecretReference[] {
  return mounts.flatMap(({ secret, file }) => {
    if (!file) return [];
    const { id, name } = held(secrets, secret);
    const { path: Name, uid: UID, gid: GID, mode: Mode } = file;
    return [{ SecretID: id, SecretName: name, File: { Name, UID, GID, Mode } }];
  });
}

function held(secrets: ReadonlyMap<string, HeldSecret>, name: string): HeldSecret {
  const secret = secrets.get(name);
  if (!secret) throw new Error(`the secret ${name} was not handed over`);
  return secret;
}

function portConfigs({ ports }: ServiceSpec): SwarmServiceSpec['EndpointSpec']['Ports'] {
  return ports.map(({ target, published, protocol }) => ({
    Protocol: protocol,
    TargetPort: target,
    ...(published === null ? {} : { PublishedPort: published }),
    PublishMode: 'host',
  }));
}

/** `<registry>/<repository>@<digest>`: the digest alone decides what runs. */
export function imageReference(registry: string, { repository, digest }: PinnedImage): string {
  return `${registry}/${repository}@${digest}`;
}

function taskTemplate(
  spec: RunService,
  name: string,
  target: EnvironmentRef,
  { installation, registry, networkId, metadataUrl }: Surroundings,
): TaskTemplate {
  const own = { ...environmentLabels(installation, target), [LABEL.service]: name };
  const { limits, reservations } = spec;
  const container: ContainerTemplate = {
    Image: imageReference(registry, spec.pinned),
    Labels: { ...spec.labels, ...own },
    ...commandOf(spec),
    Env: Object.entries({ ...spec.environment, ...standing(target, name, metadataUrl) })
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
    ...(spec.user === null ? {} : { User: spec.user }),
    Init: spec.init,
    ReadOnly: spec.readOnly,
    StopGracePeriod: spec.stopGracePeriodNs,
    Mounts: mounts(spec, target, installation),
    ...healthcheck(spec),
    ...capabilities(spec),
  };
  return {
    ContainerSpec: container,
    Resources: {
      Limits: { NanoCPUs: limits.nanoCpus, MemoryBytes: limits.memoryBytes, Pids: limits.pids },
      Reservations: {
        ...(reservations.nanoCpus === null ? {} : { NanoCPUs: reservations.nanoCpus }),
        ...(reservations.memoryBytes === null ? {} : { MemoryBytes: reservations.memoryBytes }),
      },
    },
    RestartPolicy: { Condition: 'any', Delay: RESTART_DELAY_NS, MaxAttempts: 0 },
    Networks: [{ Target: networkId, Aliases: aliases(spec, name, target) }],
  };
}

/** What an instance may know of where it is. */
function standing(
  { project, environment }: EnvironmentRef,
  service: string,
  metadataUrl: string | undefined,
): Record<string, string> {
  const place = { BERTH_PROJECT: project, BERTH_ENVIRONMENT: environment, BERTH_SERVICE: service };
  return metadataUrl === undefined ? place : { ...place, BERTH_METADATA_URL: metadataUrl };
}

/** By its name, to its neighbours; where requests come in, also to the way in. */
function aliases({ http }: ServiceSpec, name: string, target: EnvironmentRef): string[] {
  return http ? [name, upstreamName(target, name, http)] : [name];
}

/** Swarm calls the entrypoint `Command` and the command `Args`. An entrypoint of one empty word clears the image's. */
function commandOf({ entrypoint, command }: ServiceSpec): Pick<ContainerTemplate, 'Command' | 'Args'> {
  const words = entrypoint?.length === 0 ? [''] : entrypoint;
  return { ...(words ? { Command: words } : {}), ...(command?.length ? { Args: command } : {}) };
}

function mounts({ volumes, tmpfs }: ServiceSpec, target: EnvironmentRef, installation: string): Mount[] {
  return [
    ...volumes.map(({ volume, path, readOnly, noCopy }): Mount => ({
      Type: 'volume',
      Source: volumeName(installation, target, volume),
      Target: path,
      ReadOnly: readOnly,
      VolumeOptions: { NoCopy: noCopy, Labels: environmentLabels(installation, target) },
    })),
    ...tmpfs.map(({ path, sizeBytes, mode }): Mount => ({
      Type: 'tmpfs',
      Target: path,
      TmpfsOptions: {
        ...(sizeBytes === null ? {} : { SizeBytes: sizeBytes }),
        ...(mode === null ? {} : { Mode: mode }),
      },
    })),
  ];
}

function healthcheck({ healthcheck: check }: ServiceSpec): Pick<ContainerTemplate, 'Healthcheck'> {
  if (!check) return {};
  return {
    Healthcheck: {
      ...(check.test ? { Test: check.test } : {}),
      ...(check.intervalNs === null ? {} : { Interval: check.intervalNs }),
      ...(check.timeoutNs === null ? {} : { Timeout: check.timeoutNs }),
      ...(check.startPeriodNs === null ? {} : { StartPeriod: check.startPeriodNs }),
      ...(check.retries === null ? {} : { Retries: check.retries }),
    },
  };
}

/** The engine's default set, less what is dropped here, as the file changes it. */
export function capabilities({
  capAdd,
  capDrop,
}: Pick<ServiceSpec, 'capAdd' | 'capDrop'>): Pick<ContainerTemplate, 'CapabilityAdd' | 'CapabilityDrop'> {
  const prefixed = (names: string[]): string[] =>
    names.map((name) => (name === 'ALL' ? name : `CAP_${name}`));
  const dropped = capAdd.includes('ALL') ? [] : DROPPED_CAPABILITIES.filter((name) => !capAdd.includes(name));
  const drop = capDrop.includes('ALL') ? ['ALL'] : [...new Set([...dropped, ...capDrop])].sort();
  return {
    ...(capAdd.length > 0 ? { CapabilityAdd: prefixed(capAdd) } : {}),
    ...(drop.length > 0 ? { CapabilityDrop: prefixed(drop) } : {}),
  };
}

function updateConfig(update: ServiceSpec['update'], failureAction: string): UpdateConfig {
  return {
    Parallelism: update.parallelism,
    Delay: update.delayNs,
    Order: update.order,
    FailureAction: failureAction,
    // Zero would mean the engine's own five seconds.
    Monitor: update.monitorNs || MONITOR_NS,
    MaxFailureRatio: update.maxFailureRatio,
  };
}
