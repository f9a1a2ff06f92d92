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
  /** Where it answers over TLS, if it does. */
  tlsPort?: number;
}

/** What the container sees of the host's folder. */
export const WAY_IN_FOLDER = '/run/berth';
/** Where the container answers, in its own network only. */
export const WAY_IN_PORT = 8080;
export const WAY_IN_TLS_PORT = 8443;
/** Where the container is told its address in its own network, which is the only one that it may answer requests in. */
export const WAY_IN_ADDRESS = 'BERTH_ADDRESS';
/** What instances call it by, in the network of each environment, to ask about their environment. */
export const METADATA_HOST = 'metadata.berth';
export const METADATA_PORT = 8480;

/** Environments whose networks the way in has to be in, and others in which it may stay: these, or any. */
export interface NetworkPlaces {
  wanted: readonly EnvironmentRef[];
  mayKeep: readonly EnvironmentRef[] | 'any';
}

/**
 * What instances of a service are called in their network by who leads requests to them: the same from every network, and
 * another for each port, so that those of an update that changes it are never asked at each other's.
 */
export function upstreamName(
  { project, environment }: EnvironmentRef,
  service: string,
  { port, protocol }: { port: number; protocol: string },
): string {
  return `${protocol}-${port}.${service}.${environment}.${project}`;
}

/** The container through which requests come in, and the networks that it is in. Everything is idempotent. */
export interface WayIn {
  /**
   * Makes sure that it runs, whatever was done to it. Answers which start of it this is: what it was told before that, it may
   * have forgotten. Throws WAY_IN_UNAVAILABLE, with what to do, where it cannot start.
   */
  ensure(): Promise<string>;
  /**
   * Joins the networks of these environments, and leaves those of all others but of those that it may keep. `places` is
   * asked once it is known which it is in: one that another scheduler joins meanwhile, for what this one does not know of
   * yet, is not left.
   */
  join(places: () => Promise<NetworkPlaces>): Promise<void>;
}

/** Nest's injection token; null where the platform has no way in. */
export const WAY_IN = Symbol('WAY_IN');
