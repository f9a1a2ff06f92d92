import { createHash } from 'node:crypto';
import type { EnvironmentRef } from '../container-engine.js';

/** Swarm takes 63 characters at most for the name of a service. */
const MAX_NAME = 63;
const HASH_LENGTH = 8;
/** How many characters of a service's name are never replaced by a hash, or by the generation. */
const SURE_PREFIX = 40;

/**
 * Names joined by `-`. Where a name holds a `-` itself, or the whole is too long, a hash of the parts follows: `a-b` in
 * `c` must never come out as `a` in `b-c`, or two environments would share a network.
 */
function joined(parts: readonly string[], room = MAX_NAME): string {
  const plain = parts.join('-');
  if (plain.length <= room && parts.every((part) => !part.includes('-'))) return plain;
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, HASH_LENGTH);
  const kept = plain.slice(0, room - HASH_LENGTH - 1).replace(/-+$/, '');
  return `${kept}-${hash}`;
}

/** `generation` tells the Swarm services of one service apart; it is never cut off. */
export function serviceName(
  installation: string,
  target: EnvironmentRef,
  service: string,
  generation: string,
): string {
  const room = MAX_NAME - generation.length - 1;
  return `${joined([installation, target.project, target.environment, service], room)}-${generation}`;
}

/** What the names of all Swarm services of an environment begin with, and perhaps of others: the engine finds by it. */
export function servicePrefix(installation: string, { project, environment }: EnvironmentRef): string {
  // As much as is left of the longest name.
  return [installation, project, environment].join('-').slice(0, SURE_PREFIX).replace(/-+$/, '');
}

export function networkName(installation: string, target: EnvironmentRef): string {
  return `berth-${joined([installation, target.project, target.environment])}`;
}

/** Of the container that requests come in through, and of its own network. */
export function wayInName(installation: string): string {
  return `berth-${installation}-ingress`;
}

/** Of the network that what runs in a build is in. */
export function buildNetworkName(installation: string): string {
  return `berth-${installation}-builds`;
}

/** Volumes have names of up to 255 characters, and may hold `_`, which no name of ours does. */
export function volumeName(installation: string, target: EnvironmentRef, volume: string): string {
  return `berth_${installation}_${target.project}_${target.environment}_${volume}`;
}

/** Swarm takes 64 characters at most for the name of a secret, and its content never changes. */
export function secretName(
  installation: string,
  target: EnvironmentRef,
  name: string,
  version: number,
): string {
  const parts = JSON.stringify([installation, target.project, target.environment, name]);
  return `berth-${createHash('sha256').update(parts).digest('hex').slice(0, 32)}-v${version}`;
}
