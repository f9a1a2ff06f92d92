import type { Readable, Writable } from 'node:stream';
import type { ExecChannel, InstanceStats, LogLine, Platform, TerminalSize, actions } from '@berth/contracts';
import type { z } from 'zod';
import type { RunSpec } from '../compose/index.js';

/** An environment of this installation: what it is called is all that the engine knows of it. */
export interface EnvironmentRef {
  project: string;
  environment: string;
}

/** A release as it is to run, and the deployment that brings it. */
export interface Rollout {
  target: EnvironmentRef;
  deployment: string;
  /** `sha256:…` of the release. */
  release: string;
  spec: RunSpec;
  /** Reads a secret of the environment, when its value is needed and not before. */
  secret: SecretReader;
}

/** The value of a secret in one of its versions. Throws when it cannot be had. */
export type SecretReader = (name: string, version: number) => Promise<Buffer>;

/** One instance, where requests that come in would find it. */
export interface InstanceAddress {
  service: string;
  /** In the environment's network. */
  address: string;
  port: number;
  protocol: 'http' | 'h2c';
}

/** How to go about it: until when, whether still at all, and whom to tell. */
export interface RolloutControl {
  deadline: Date;
  signal: AbortSignal;
  /** Called whenever what is being waited for changes. */
  progress: (progress: RolloutProgress) => void;
  /**
   * Whether an instance answers requests that come in: asked of the instances of services with a way in, before what ran
   * before is let go. Left out where there is no way in.
   */
  reaches?: (instance: InstanceAddress) => Promise<boolean>;
}

/** What is being waited for. `settled`: all that is wanted runs, and only has to stay up for a moment. */
export interface RolloutProgress {
  message: string;
  settled: boolean;
}

/** `running`: every instance of the release runs, is healthy, and no other does. `failed`: why not, for a person. */
export type RolloutOutcome = { state: 'running' } | { state: 'failed'; reason: string };

/** One container, past or present, that the engine keeps account of. */
export interface EngineInstance {
  id: string;
  service: string;
  /** The engine's word: `running`, `starting`, `failed`, …; `stopping` for one that was told to end. */
  state: string;
  /** Null where there is no health check. */
  healthy: boolean | null;
  release: string | null;
  startedAt: string | null;
  message: string | null;
  ports: { target: number; published: number; protocol: 'tcp' | 'udp' }[];
}

export interface EngineService {
  name: string;
  /** As pulled, by digest. */
  image: string;
  release: string | null;
  desired: number;
  ports: { target: number; published: number | null; protocol: 'tcp' | 'udp' }[];
  instances: EngineInstance[];
}

/** What the `after` hook of `deployment.create` judges. */
export type InspectedFacts = z.input<typeof actions.deploymentCreate.outcome>;
/** What the `after` hook of `instance.run` judges. */
export type InstanceAsRun = z.input<typeof actions.instanceRun.outcome>;

/** What containers really are: all together, and each kind of them by its service. */
export interface Inspection {
  /** Ids of the instances that were looked at. */
  looked: string[];
  all: InspectedFacts;
  instances: { service: string; facts: InstanceAsRun }[];
}

/** An instance that has a container, and is meant to keep it. */
export interface LivingInstance extends EnvironmentRef {
  id: string;
  service: string;
}

/** A shell script to be run in an instance of a service. */
export interface ServiceCommand {
  service: string;
  script: string;
  environment: Record<string, string>;
  input?: Readable;
  /** What it writes to stdout; thrown away when left out. */
  output?: Writable;
  signal?: AbortSignal;
}

/** `errors`: the end of what it wrote to stderr. */
export interface CommandOutcome {
  exitCode: number;
  errors: string;
}

export interface LogRequest {
  /** By name; null for all that the environment has, and will have while it is followed. */
  services: readonly string[] | null;
  follow: boolean;
  /** Lines of the past of each service at most; null for all. */
  tail: number | null;
  since?: Date;
  signal: AbortSignal;
  /** Asked before a service is followed; what it throws ends the stream. */
  admit?: (service: string) => Promise<void>;
}

export interface ExecRequest {
  service: string;
  /** Its id or the beginning of it; null for any that runs. */
  instance: string | null;
  command: readonly string[];
  /** The size of its terminal; null for none. */
  terminal: TerminalSize | null;
}

/** A command that is ready to run in an instance, and does not yet. */
export interface EngineExec {
  instance: string;
  start(): Promise<RunningCommand>;
}

export interface RunningCommand {
  /** What it writes, as it is read; ends with the command, and with its instance. */
  output: AsyncIterable<{ channel: ExecChannel; data: Buffer }>;
  /** Resolves when it is on its way: a command that does not read makes its writer wait. */
  write(data: Buffer): Promise<void>;
  endInput(): void;
  resize(size: TerminalSize): Promise<void>;
  /** Asked when the output has ended. Throws INSTANCE_ENDED where the instance ended before the command. */
  exitCode(signal: AbortSignal): Promise<number>;
  /** Ends its input and reads no more: the engine has no way to end it. */
  leave(): void;
}

export interface StatsRequest {
  /** By name; null for all that the environment has, at each look. */
  services: readonly string[] | null;
  signal: AbortSignal;
  /** Asked before a service is shown; what it throws ends the stream. */
  admit: (service: string) => Promise<void>;
}

/**
 * One thing that is in the engine otherwise than a rollout left it: a key of a service with both values (a secret's is
 * never shown), a whole service (`path` empty) that is missing or one too many, or the network (`service` null).
 */
export interface EngineDrift {
  service: string | null;
  path: string;
  wanted: string | null;
  found: string | null;
}

/** Something in the engine that carries the label of this installation. */
export interface OwnedObject {
  kind: 'service' | 'network';
  name: string;
  project: string;
  environment: string;
  /** The service of the Compose file; null for a network. */
  service: string | null;
}

/**
 * The container engine as the scheduler needs it. Everything is idempotent: whoever takes over a rollout calls the same
 * again. Throws ENGINE_UNAVAILABLE when the engine does not answer.
 */
export interface ContainerEngine {
  /** Makes sure that the engine answers, now, and can run services. */
  prepare(): Promise<void>;
  /** What the engine's machines run. */
  platform(): Promise<Platform>;
  /** Brings a release up, in the order of its dependencies, and watches until the truth about it is known. */
  rollOut(rollout: Rollout, control: RolloutControl): Promise<RolloutOutcome>;
  /**
   * Removes what runs beside the services of this release. Called once it has succeeded. Nothing is led there any more when
   * it answers; what holds no volume, port or reservation may still end what it has in hand,
   * unless it is to be gone.
   */
  removeOthers(rollout: Rollout, options?: { untilGone?: boolean }): Promise<void>;
  /** Removes all services of an environment and, if asked, its volumes and its network; waits until containers are gone. */
  remove(target: EnvironmentRef, what: { network: boolean; volumes: boolean }): Promise<void>;
  services(target: EnvironmentRef): Promise<EngineService[]>;
  /** Of the instances that run what the rollout wants; or of these alone, whatever they run. */
  inspect(rollout: Rollout, instances?: ReadonlySet<string>): Promise<Inspection>;
  /** Of all environments, or of one. */
  living(target?: EnvironmentRef): Promise<LivingInstance[]>;
  /** Where containers of environments start on this machine, until the signal is aborted or the engine tells no more. */
  starts(signal: AbortSignal): AsyncIterable<LivingInstance>;
  /** Ends all instances of a service, and lets none run until a rollout brings it again. */
  halt(target: EnvironmentRef, service: string): Promise<void>;
  logs(target: EnvironmentRef, request: LogRequest): AsyncIterable<LogLine>;
  /** What was changed behind our back since these rollouts ended, of each. Changes nothing. */
  drift(rollouts: readonly Rollout[]): Promise<EngineDrift[][]>;
  /**
   * Runs a script in the newest instance of a service on this machine. Throws CONFLICT where there is none, and INSTANCE_ENDED
   * where it ended before the script.
   */
  command(target: EnvironmentRef, command: ServiceCommand): Promise<CommandOutcome>;
  /** Ends the instances of a service on this machine, and waits until the engine has others healthy in their place. */
  renew(
    target: EnvironmentRef,
    service: string,
    until: { deadline: Date; signal: AbortSignal },
  ): Promise<void>;
  /** Removes a volume that no container uses any more; waits until those that do are gone. */
  removeVolume(target: EnvironmentRef, volume: string): Promise<void>;
  /** What each instance that runs uses, every two seconds until the signal is aborted; the first after one. */
  stats(target: EnvironmentRef, request: StatsRequest): AsyncIterable<InstanceStats[]>;
  /** Throws NOT_FOUND, INSTANCE_NOT_RUNNING, or INSTANCE_ELSEWHERE where only another node's engine could. */
  exec(target: EnvironmentRef, request: ExecRequest): Promise<EngineExec>;
  /** All that carries our label. */
  owned(): Promise<OwnedObject[]>;
  /** Removes it, without waiting for its containers to end; what is in use yet stays, for another try. */
  discard(object: OwnedObject): Promise<void>;
}

/** Nest's injection token. */
export const CONTAINER_ENGINE = Symbol('CONTAINER_ENGINE');
