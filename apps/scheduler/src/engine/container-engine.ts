import type { LogLine, Platform, actions } from '@berth/contracts';
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

export interface LogRequest {
  service: string;
  follow: boolean;
  /** Lines of each instance at most. */
  tail: number;
  since?: Date;
  signal: AbortSignal;
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
   * it answers; what holds no volume, port or reservation may still end what it has in hand.
   */
  removeOthers(rollout: Rollout): Promise<void>;
  /** Removes all services of an environment and, if asked, its volumes and its network; waits until containers are gone. */
  remove(target: EnvironmentRef, what: { network: boolean; volumes: boolean }): Promise<void>;
  services(target: EnvironmentRef): Promise<EngineService[]>;
  inspect(rollout: Rollout): Promise<InspectedFacts>;
  logs(target: EnvironmentRef, request: LogRequest): AsyncIterable<LogLine>;
  /** All that carries our label. */
  owned(): Promise<OwnedObject[]>;
  /** Removes it, without waiting for its containers to end; what is in use yet stays, for another try. */
  discard(object: OwnedObject): Promise<void>;
}

/** Nest's injection token. */
export const CONTAINER_ENGINE = Symbol('CONTAINER_ENGINE');
