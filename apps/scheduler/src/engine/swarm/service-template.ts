import { createHash } from 'node:crypto';
import { canonicalJson, type PinnedImage, type RunSpec, type ServiceSpec } from '../../compose/index.js';
import type { EnvironmentRef, Rollout } from '../container-engine.js';
import type { ContainerTemplate, Mount, SwarmServiceSpec, TaskTemplate, UpdateConfig } from './engine-api.js';
import { environmentLabels, LABEL, rolloutLabels } from './labels.js';
import { serviceName, volumeName } from './names.js';

/** Where things are: what a release says nothing about. */
export interface Surroundings {
  installation: string;
  /** host:port of the registry-proxy as the engine sees it. */
  registry: string;
  networkId: string;
}

type PinnedService = RunSpec['services'][string];

/**
 * Of the engine's default capabilities, those that common images can do without: raw sockets, device nodes, chroot, the
 * kernel's audit log, and handing out more capabilities. What stays lets `nginx` bind port 80 and change its user.
 */
export const DROPPED_CAPABILITIES = ['AUDIT_WRITE', 'MKNOD', 'NET_RAW', 'SETFCAP', 'SETPCAP', 'SYS_CHROOT'];

/** How long an instance must stay up before Swarm counts it as well, in nanoseconds. */
export const MONITOR_NS = 1e9;
/** Short, so that a crash loop shows in seconds. */
const RESTART_DELAY_NS = 1e9;

/** The Swarm service of a service of a release. */
export function toSwarmService(rollout: Rollout, name: string, surroundings: Surroundings): SwarmServiceSpec {
  const { target } = rollout;
  const spec = rollout.spec.services[name];
  const { installation } = surroundings;
  const own = { ...environmentLabels(installation, target), [LABEL.service]: name };
  const template = taskTemplate(spec, name, target, surroundings, own);
  const hash = createHash('sha256').update(canonicalJson(template)).digest('hex');
  // Not part of the hash: they tell by whom and what from the containers were made.
  template.ContainerSpec.Labels = {
    ...template.ContainerSpec.Labels,
    ...rolloutLabels(rollout),
    [LABEL.template]: hash,
  };
  return {
    Name: serviceName(installation, target, name),
    Labels: { ...spec.serviceLabels, ...own, ...rolloutLabels(rollout), [LABEL.template]: hash },
    TaskTemplate: template,
    Mode: { Replicated: { Replicas: spec.replicas } },
    UpdateConfig: updateConfig(spec.update, spec.update.failureAction),
    RollbackConfig: updateConfig(spec.update, 'pause'),
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: spec.ports.map(({ target: port, published, protocol }) => ({
        Protocol: protocol,
        TargetPort: port,
        ...(published === null ? {} : { PublishedPort: published }),
        PublishMode: 'host',
      })),
    },
  };
}

/** `<registry>/<repository>@<digest>`: the digest alone decides what runs. */
export function imageReference(registry: string, { repository, digest }: PinnedImage): string {
  return `${registry}/${repository}@${digest}`;
}

/**
 * The spec with the containers of a spec before it kept, where they are made from the same: labels alone must not
 * restart what has not changed, nor what an update that failed had left running.
 */
export function keepingUnchanged(
  wanted: SwarmServiceSpec,
  before: readonly (SwarmServiceSpec | undefined)[],
): SwarmServiceSpec {
  const same = before.find((spec) => spec?.Labels[LABEL.template] === wanted.Labels[LABEL.template]);
  if (!same) return wanted;
  const { TaskTemplate: template } = wanted;
  const { Labels: labels } = same.TaskTemplate.ContainerSpec;
  return {
    ...wanted,
    TaskTemplate: { ...template, ContainerSpec: { ...template.ContainerSpec, Labels: labels } },
  };
}

function taskTemplate(
  spec: PinnedService,
  name: string,
  target: EnvironmentRef,
  { installation, registry, networkId }: Surroundings,
  own: Record<string, string>,
): TaskTemplate {
  const { limits, reservations } = spec;
  const container: ContainerTemplate = {
    Image: imageReference(registry, spec.pinned),
    Labels: { ...spec.labels, ...own },
    ...commandOf(spec),
    Env: Object.entries(spec.environment)
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
    Networks: [{ Target: networkId, Aliases: spec.http ? [name, wayInAlias(name, target)] : [name] }],
  };
}

/** By this name the way in finds the instances of a service: its own is not enough, for it is in many networks. */
function wayInAlias(name: string, { project, environment }: EnvironmentRef): string {
  return `${name}.${environment}.${project}`;
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
