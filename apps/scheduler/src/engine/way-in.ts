import type { EnvironmentRef } from './container-engine.js';

/** How the container of the way in is to be made. */
export interface WayInOptions {
  installation: string;
  image: string;
  /** Of the host, 0700: sockets of the administration, saved configuration, access log. Mounted at `WAY_IN_FOLDER`. */
  folder: string;
  /** Where the host answers. */
  host: string;
  port: number;
}

/** What the container sees of the host's folder. */
export const WAY_IN_FOLDER = '/run/berth';
/** Where the container answers, in its own network only. */
export const WAY_IN_PORT = 8080;

/** The container through which requests come in, and the networks that it is in. Everything is idempotent. */
export interface WayIn {
  /** Makes sure that it runs. Answers its address in its own network: the only one that it may listen on. */
  ensure(): Promise<string>;
  /** Joins the networks of these environments, and leaves those of all others but of those that it may keep. */
  join(targets: readonly EnvironmentRef[], mayKeep?: readonly EnvironmentRef[]): Promise<void>;
}

/** Nest's injection token; null where the platform has no way in. */
export const WAY_IN = Symbol('WAY_IN');
