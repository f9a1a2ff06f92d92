/** A Compose file, read and normalised: defaults put in, short forms written out. What a release holds. */
export interface ComposeSpec {
  services: Record<string, ServiceSpec>;
  /** Named volumes that services mount. */
  volumes: Record<string, VolumeSpec>;
}

export interface VolumeSpec {
  labels: Record<string, string>;
}

/** Durations in nanoseconds, sizes in bytes, cpu in billionths of a core: the engine's own units. */
export interface ServiceSpec {
  /** As written. In a release the key `digest` of its image stands beside it. */
  image: string;
  /** Null: the image's. `['']`: none. */
  entrypoint: string[] | null;
  command: string[] | null;
  environment: Record<string, string>;
  ports: PortSpec[];
  expose: string[];
  healthcheck: HealthcheckSpec | null;
  dependsOn: Record<string, DependencyCondition>;
  replicas: number;
  limits: { nanoCpus: number; memoryBytes: number; pids: number };
  reservations: { nanoCpus: number | null; memoryBytes: number | null };
  update: UpdateSpec;
  user: string | null;
  readOnly: boolean;
  tmpfs: TmpfsSpec[];
  volumes: VolumeMountSpec[];
  /** Of the containers. */
  labels: Record<string, string>;
  /** Of the service (`deploy.labels`). */
  serviceLabels: Record<string, string>;
  stopGracePeriodNs: number;
  init: boolean;
  capAdd: string[];
  capDrop: string[];
  /** Where requests come in, as `x-berth.http` says; null for a service that has no way in. */
  http: HttpSpec | null;
  /** Host names of its own, beside the one that is made of its place. */
  hosts: string[];
  /** Secrets of the environment that it is given. */
  secrets: SecretMountSpec[];
  /** Resources of the environment that it is given. */
  uses: string[];
}

export interface HttpSpec {
  /** Of the container. */
  port: number;
  /** `h2c`: HTTP/2 without TLS, as gRPC servers speak it. */
  protocol: 'http' | 'h2c';
}

/** One secret in one service: as a file, or as a variable. */
export interface SecretMountSpec {
  secret: string;
  /** Absolute path and mode of the file; null where it is a variable. */
  file: { path: string; uid: string; gid: string; mode: number } | null;
  /** Name of the variable; null where it is a file. */
  variable: string | null;
}

export type DependencyCondition = 'started' | 'healthy';

export interface PortSpec {
  target: number;
  /** Port of the host; null for one that the engine picks. */
  published: number | null;
  protocol: 'tcp' | 'udp';
}

/** Null where the image's own, or else the engine's default, holds. */
export interface HealthcheckSpec {
  /** `['NONE']` turns the image's off. */
  test: string[] | null;
  intervalNs: number | null;
  timeoutNs: number | null;
  startPeriodNs: number | null;
  retries: number | null;
}

export interface UpdateSpec {
  /** Instances at a time; 0 for all. */
  parallelism: number;
  delayNs: number;
  order: 'start-first' | 'stop-first';
  failureAction: 'rollback' | 'pause' | 'continue';
  /** Null: as short as the engine adapter finds safe. */
  monitorNs: number | null;
  maxFailureRatio: number;
}

export interface TmpfsSpec {
  path: string;
  sizeBytes: number | null;
  mode: number | null;
}

export interface VolumeMountSpec {
  volume: string;
  path: string;
  readOnly: boolean;
  noCopy: boolean;
}

/** What a service gets when its file does not say: each of these ends up in the release, in plain sight. */
export const SERVICE_DEFAULTS = {
  nanoCpus: 1e9,
  memoryBytes: 512 * 1024 ** 2,
  pids: 512,
  replicas: 1,
  stopGracePeriodNs: 10e9,
  init: true,
} as const;
